//! Queries while something else takes the place of what they read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tradewind_projections::{Slot, read, standings};
use tradewind_testing::account::Command;
use tradewind_testing::{Database, eventually};

use super::balances::{BALANCES, Bank, PATIENCE, balances};

tradewind_testing::both_stores! {
    async fn a_query_never_finds_less_than_before(database: Database) {
        let bank = Bank::open(&database).await;
        bank.trade(30, 20).await;
        bank.sequenced().await;
        let process = bank.start([balances(1)]);
        eventually(PATIENCE, "it is known", async || standings(&bank.store).await.unwrap().len() == 1).await;
        bank.ask(BALANCES).await;
        bank.read_from(BALANCES, Slot::Second).await;
        process.stop().await;

        let bank = Arc::new(bank);
        let over = Arc::new(AtomicBool::new(false));
        let (asked, ends) = (Arc::clone(&bank), Arc::clone(&over));
        let asking = tokio::spawn(async move {
            let mut slots = Vec::new();
            while !ends.load(Ordering::SeqCst) {
                let slot = read(&asked.store, BALANCES).await.unwrap();
                let found = asked.balances(slot).await;
                assert_eq!(found.len(), 30, "from {slot:?}");
                slots.push(slot);
                tokio::task::yield_now().await;
            }
            slots
        });
        let process = bank.start([balances(2)]);
        while read(&bank.store, BALANCES).await.unwrap() == Slot::Second {
            bank.execute("a1", Command::Deposit(1)).await;
        }
        let seen = asking.is_finished();
        eventually(PATIENCE, "the other is asked", async || !seen).await;
        over.store(true, Ordering::SeqCst);
        let slots = asking.await.unwrap();
        assert_eq!(slots.first(), Some(&Slot::Second));
        process.stop().await;
    }
}
