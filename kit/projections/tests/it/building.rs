//! Building beside what is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prost::{Message, Name};
use tradewind_domain::Error;
use tradewind_events::{Reaction, Received};
use tradewind_projections::{Projection, Slot, Standing, standings};
use tradewind_store::Tx;
use tradewind_testing::account::Deposited;
use tradewind_testing::{Database, eventually};

use super::balances::{BALANCES, Bank, DEPOSITS, PATIENCE, balances, deposits};

const VISITS: &str = "bank.visits";

/// Somebody came in, as a context says that cannot be asked.
#[derive(Clone, PartialEq, Message)]
struct Visited {}

impl Name for Visited {
    const NAME: &'static str = "Visited";
    const PACKAGE: &'static str = "tradewind.porch.v1";
}

fn visits() -> Projection {
    Projection::new(VISITS, 1).on::<Visited>("count_on_visited", |_, _| Ok(()))
}

/// Counts what has followed.
#[derive(Clone, Default)]
struct Follows(Arc<AtomicUsize>);

impl Reaction<Deposited> for Follows {
    async fn react(&self, tx: &mut Tx, event: &Received<Deposited>) -> Result<(), Error> {
        assert!(event.data.amount > 0);
        let count = Arc::clone(&self.0);
        tx.after(move || _ = count.fetch_add(1, Ordering::SeqCst));
        Ok(())
    }
}

async fn standing(bank: &Bank, name: &str) -> Standing {
    standings(&bank.store).await.unwrap().into_iter().find(|standing| standing.name == name).unwrap()
}

/// Has both built anew and read from the second slot.
async fn built(bank: &Bank) {
    bank.sequenced().await;
    let process = bank.start([balances(1), deposits(1)]);
    eventually(PATIENCE, "both are known", async || standings(&bank.store).await.unwrap().len() == 2).await;
    bank.ask(BALANCES).await;
    bank.ask(DEPOSITS).await;
    bank.read_from(BALANCES, Slot::Second).await;
    bank.read_from(DEPOSITS, Slot::Second).await;
    process.stop().await;
}

/// A version of the balances that cannot be built, and why.
async fn keeps_nobody_else(database: &Database, version: u32, reason: &str) {
    let bank = Bank::open(database).await;
    bank.trade(5, 5).await;
    built(&bank).await;
    let unlucky = bank.start([balances(version), deposits(2)]);
    bank.read_from(DEPOSITS, Slot::First).await;
    eventually(PATIENCE, "it is said why", async || {
        let build = standing(&bank, BALANCES).await.build;
        build.is_some_and(|build| build.failure.is_some_and(|why| why.contains(reason)))
    })
    .await;
    assert_eq!(standing(&bank, BALANCES).await.slot, Slot::Second);
    assert_eq!(bank.balances(Slot::Second).await, bank.truth(5, 1).await);
    unlucky.kill().await;
}

tradewind_testing::both_stores! {
    async fn what_is_built_says_what_the_streams_say(database: Database) {
        let bank = Bank::open(&database).await;
        bank.trade(20, 40).await;
        built(&bank).await;
        assert_eq!(bank.balances(Slot::Second).await, bank.truth(20, 1).await);
        let deposits = bank.deposits(Slot::Second).await;
        assert_eq!(deposits.len(), 20);
        assert!(deposits.iter().all(|deposit| (deposit.count, deposit.total) == (40, 10 * 41 * 20)), "{deposits:?}");
    }

    async fn what_else_follows_an_event_follows_it_where_it_is_built_too(database: Database) {
        let bank = Bank::open(&database).await;
        bank.trade(5, 5).await;
        bank.sequenced().await;
        let follows = Follows::default();
        let process = bank.start([deposits(1).reacting("count_on_deposited", follows.clone())]);
        eventually(PATIENCE, "it is known", async || standings(&bank.store).await.unwrap().len() == 1).await;
        bank.ask(DEPOSITS).await;
        bank.read_from(DEPOSITS, Slot::Second).await;
        assert_eq!(follows.0.load(Ordering::SeqCst), 5 * 5);
        process.stop().await;
    }

    async fn a_later_version_is_built_beside_and_one_before_lets_it_be_built_again(database: Database) {
        let bank = Bank::open(&database).await;
        bank.trade(5, 5).await;
        built(&bank).await;
        assert_eq!(standing(&bank, BALANCES).await.version, 1);

        let later = bank.start([balances(2)]);
        // What was read a moment ago rests.
        bank.read_from(BALANCES, Slot::First).await;
        later.stop().await;
        assert_eq!(bank.balances(Slot::First).await, bank.truth(5, 2).await);
        assert_eq!(standing(&bank, BALANCES).await.version, 2);

        let before = bank.start([balances(1)]);
        eventually(PATIENCE, "it says that it may write there", async || standing(&bank, BALANCES).await.version == 1).await;
        assert_eq!(standing(&bank, BALANCES).await.slot, Slot::First);
        before.stop().await;

        let later = bank.start([balances(2)]);
        bank.read_from(BALANCES, Slot::Second).await;
        later.stop().await;
        assert_eq!(bank.balances(Slot::Second).await, bank.truth(5, 2).await);
    }

    async fn what_cannot_be_built_is_read_as_it_was_and_keeps_nobody_else(database: Database) {
        keeps_nobody_else(&database, 13, "UNLUCKY").await;
    }

    async fn what_the_database_refuses_is_read_as_it_was_and_keeps_nobody_else(database: Database) {
        keeps_nobody_else(&database, 14, "").await;
    }

    async fn one_that_waits_for_another_context_keeps_nobody_else(database: Database) {
        let bank = Bank::open(&database).await;
        bank.trade(5, 5).await;
        built(&bank).await;
        let process = bank.start([visits(), deposits(2)]);
        eventually(PATIENCE, "it is known", async || standings(&bank.store).await.unwrap().len() == 3).await;
        bank.ask(VISITS).await;
        bank.read_from(DEPOSITS, Slot::First).await;
        eventually(PATIENCE, "it is said for whom it waits", async || {
            let build = standing(&bank, VISITS).await.build;
            build.is_some_and(|build| build.failure.is_some_and(|why| why.contains("there is no porch")))
        })
        .await;
        process.stop().await;
    }

    async fn one_that_is_killed_goes_on_where_it_was(database: Database) {
        let bank = Bank::open(&database).await;
        bank.trade(40, 40).await;
        bank.sequenced().await;
        let all: u64 = bank.store.heads().await.unwrap().positions.iter().sum();
        let process = bank.start([balances(1), deposits(1)]);
        eventually(PATIENCE, "both are known", async || standings(&bank.store).await.unwrap().len() == 2).await;
        bank.ask(BALANCES).await;
        bank.ask(DEPOSITS).await;
        let read = async |consumer: &str| -> u64 {
            let cursors = bank.store.cursors().await.unwrap();
            cursors.iter().filter(|((name, ..), _)| name == consumer).map(|(_, (position, _))| position).sum()
        };
        eventually(PATIENCE, "some of it is built", async || read("bank.deposits-2").await > 0).await;
        process.kill().await;
        let (before, begun) = (read("bank.deposits-2").await, standing(&bank, DEPOSITS).await.build);
        if begun.is_none() {
            // It was faster than this test; there is nothing left to go on with.
            assert_eq!(before, all);
        }
        let process = bank.start([balances(1), deposits(1)]);
        bank.read_from(BALANCES, Slot::Second).await;
        bank.read_from(DEPOSITS, Slot::Second).await;
        process.stop().await;
        // Adding an event twice, or never, would show.
        let deposits = bank.deposits(Slot::Second).await;
        assert!(deposits.len() == 40 && deposits.iter().all(|deposit| deposit.count == 40), "{deposits:?}");
        assert_eq!(bank.balances(Slot::Second).await, bank.truth(40, 1).await);
    }
}
