//! When nothing goes wrong, and when a reader comes late or is killed.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_projections::Projection;
use tradewind_runtime::Engine;
use tradewind_store::Tx;
use tradewind_testing::account::{Account, Withdrawn};
use tradewind_testing::{Database, block_on, eventually};

use super::audit::{NoteDeposit, PATIENCE, Pair, Running, connect, count, deposit};

tradewind_testing::both_stores! {
    async fn events_are_handled_once_and_in_order(database: Database) {
        let pair = Pair::between(database, Database::sqlite()).await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a", "b", "c", "d", "e"], 40).await;
        pair.noted(200).await;
        pair.deposit(&["a", "f"], 10).await;
        pair.noted(220).await;
        audit.stop().await;
        bank.stop().await;
        assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM parked").await, 0);
    }

    async fn two_replicas_of_a_reader_do_not_repeat_each_other(database: Database) {
        let pair = Pair::between(Database::sqlite(), database).await;
        let bank = pair.start_bank().await;
        let (one, other) = (pair.start_audit().await, pair.start_audit().await);
        pair.deposit(&["a", "b", "c"], 60).await;
        pair.noted(180).await;
        one.stop().await;
        pair.deposit(&["a", "b", "c"], 20).await;
        pair.noted(240).await;
        other.stop().await;
        bank.stop().await;
    }
}

#[test]
fn with_the_broker_up_events_travel_through_it() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 1).await;
        pair.noted(1).await;
        eventually(PATIENCE, "the audit reads messages", async || {
            // Once messages are open, the owner is asked nothing for a while.
            let before = pair.owner.asked.load(Ordering::SeqCst);
            let seen = count(&pair.audit, "SELECT COUNT(*) FROM seen").await;
            pair.deposit(&["a"], 20).await;
            pair.noted(seen + 20).await;
            pair.owner.asked.load(Ordering::SeqCst) == before
        })
        .await;
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn a_reader_that_starts_late_reads_from_the_owner_what_the_broker_no_longer_has() {
    block_on(async {
        let pair = Pair::new().await;
        let bank = pair.start_bank().await;
        pair.deposit(&["a", "b"], 400).await;
        let late = pair.start_audit().await;
        pair.noted(800).await;
        pair.deposit(&["a", "b"], 10).await;
        pair.noted(820).await;
        late.stop().await;
        bank.stop().await;
    });
}

#[test]
fn a_killed_reader_goes_on_where_it_was() {
    block_on(async {
        let pair = Pair::new().await;
        let bank = pair.start_bank().await;
        for round in 1..=5 {
            let audit = pair.start_audit().await;
            pair.deposit(&["a", "b"], 20).await;
            eventually(PATIENCE, "the reader is at work", async || {
                count(&pair.audit, "SELECT COUNT(*) FROM seen").await > (round - 1) * 40
            })
            .await;
            audit.kill().await;
        }
        let audit = pair.start_audit().await;
        pair.noted(200).await;
        audit.stop().await;
        bank.stop().await;
    });
}

/// Reacts to what the test never lets happen, so that every deposit is passed over.
struct NeverCalled;

impl Reaction<Withdrawn> for NeverCalled {
    async fn react(&self, _: &mut Tx, _: &Received<Withdrawn>) -> Result<(), Error> {
        Err(Error::internal("called"))
    }
}

#[test]
fn undeclared_events_move_the_cursor() {
    block_on(async {
        let pair = Pair::new().await;
        let bank = pair.start_bank().await;
        let engine = Engine::new(pair.audit.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
        let audit = Running::start(engine.reactions(Reactions::new("audit").on("never_on_withdrawn", NeverCalled)));
        pair.deposit(&["a"], 30).await;
        let nothing = pair.bank.begin().await.unwrap().commit().await.unwrap();
        let token = pair.bank.token(&nothing).await.unwrap();
        assert!(token.ends_with(":0:30"), "{token}");
        pair.audit.wait_for("audit", &[token], PATIENCE).await.unwrap();
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn a_projection_reads_the_own_log_without_a_broker() {
    block_on(async {
        let mut pair = Pair::new().await;
        pair.nats.stop();
        let projection = Reactions::new("deposits").on("note_on_deposited", NoteDeposit::new(&pair.bank));
        let engine = Engine::new(pair.bank.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
        let shown = Arc::new(Mutex::new(Vec::new()));
        let showing = Arc::clone(&shown);
        let accounts = Projection::new("accounts", 1).showing::<Account>(move |_, _, account| {
            showing.lock().unwrap().push((account.version, account.state.balance));
            Ok(())
        });
        let bank = Running::start(engine.reactions(projection).projection(accounts));
        for amount in 1..=50 {
            deposit(&pair.bank, if amount % 2 == 0 { "even" } else { "odd" }, 1).await;
        }
        eventually(PATIENCE, "every deposit is projected", async || {
            count(&pair.bank, "SELECT COUNT(*) FROM seen").await == 50
        })
        .await;
        let seen = || shown.lock().unwrap().clone();
        eventually(PATIENCE, "both accounts are shown as they stand", async || {
            seen().iter().filter(|shown| **shown == (25, 25)).count() >= 2
        })
        .await;
        assert!(seen().iter().all(|(version, balance)| balance >= version), "{:?}", seen());
        assert_eq!(pair.owner.asked.load(Ordering::SeqCst), 0);
        bank.stop().await;
    });
}
