//! What is called when, step by step, over both databases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tradewind_replicas::Seat;
use tradewind_sql::sqlite_file;
use tradewind_store::Tx;
use tradewind_testing::account::{Account, Command};
use tradewind_testing::{Database, Stopped};

use super::*;
use crate::table::intent::{Column, Entity, Model};
use crate::{NewIntent, intend};

/// An outside that answers, but to what is silent; nobody here can call what is of a later build.
#[derive(Clone, Default)]
struct Outside {
    called: Arc<Mutex<Vec<String>>>,
    settled: Arc<AtomicUsize>,
    told: Arc<AtomicUsize>,
}

impl IntentHandler for Outside {
    const KIND: &'static str = "charge";
    type Outcome = ();

    async fn call(&self, intent: &Intent) -> Result<(), Unknown> {
        self.called.lock().unwrap().push(format!("{} {}", intent.action, intent.key));
        if ["silent", "later"].contains(&intent.action.as_str()) { Err(Unknown("silence".to_owned())) } else { Ok(()) }
    }

    fn knows(&self, intent: &Intent) -> bool {
        intent.action != "later"
    }

    async fn settle(&self, tx: &mut Tx, _: &Intent, (): &()) -> Result<(), Error> {
        self.settled.fetch_add(1, Ordering::SeqCst);
        let told = Arc::clone(&self.told);
        tx.after(move || {
            told.fetch_add(1, Ordering::SeqCst);
        });
        Ok(())
    }
}

/// A worker that does nothing by itself.
struct Shop {
    bank: Stopped,
    outside: Outside,
    worker: Worker<Outside>,
    database: Database,
}

impl Shop {
    async fn open(database: Database) -> Self {
        let (bank, outside) = (Stopped::open(&database).await, Outside::default());
        let worker = worker(&bank, &outside);
        Self { bank, outside, worker, database }
    }

    async fn intend(&self, action: &str, keys: &[&str]) {
        let mut tx = self.bank.store.begin().await.unwrap();
        for key in keys {
            let (key, action) = ((*key).to_owned(), action.to_owned());
            intend(&mut tx, NewIntent { kind: Outside::KIND, subject: key.clone(), key, action, payload: Vec::new() });
        }
        tx.execute::<Account>("ann", Command::Deposit(1)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Looks for what is due; how many calls are under way then, or have ended.
    async fn look(&mut self) -> usize {
        self.worker.look = true;
        self.worker.claim().await;
        self.worker.calls.len()
    }

    /// Waits for one call and does what comes of it.
    async fn finish(&mut self) {
        let called = self.worker.calls.join_next().await.unwrap();
        self.worker.finish(called).await;
    }

    /// Goes on as another process, after two seconds.
    async fn restart(&mut self) {
        self.bank = Stopped::open(&self.database).await;
        self.bank.pass(2);
        self.worker = worker(&self.bank, &self.outside);
    }

    /// Does something while the file is not in its place.
    async fn without_its_file<T>(&mut self, then: impl AsyncFnOnce(&mut Self) -> T) -> T {
        let file = sqlite_file(&self.database.url()).unwrap();
        let aside = file.with_extension("aside");
        std::fs::rename(&file, &aside).unwrap();
        let done = then(self).await;
        std::fs::rename(&aside, &file).unwrap();
        done
    }

    async fn write(&self) -> Result<(), Error> {
        let mut tx = self.bank.store.begin().await?;
        tx.execute::<Account>("ann", Command::Deposit(1)).await?;
        tx.commit().await.map(drop)
    }

    async fn written_claims(&self) -> usize {
        let claims = Entity::find().filter(Column::ClaimedBy.is_not_null());
        self.bank.store.find::<Model>(claims).await.unwrap().len()
    }
}

fn worker(bank: &Stopped, outside: &Outside) -> Worker<Outside> {
    let (_, members) = Seat::new(bank.store.clone(), "one".into());
    Worker::new(bank.store.clone(), outside.clone(), 8, "one".into(), Duration::from_secs(12), members.seen())
}

tradewind_testing::both_stores! {
    async fn what_is_under_way_is_not_called_again_and_what_replaces_it_at_once(database: Database) {
        let mut shop = Shop::open(database).await;
        shop.intend("charge", &["o1", "o2"]).await;
        assert_eq!(shop.look().await, 2);
        assert_eq!(shop.look().await, 2);
        shop.intend("void", &["o1"]).await;
        assert_eq!(shop.look().await, 3);
        for _ in 0..3 {
            if !shop.worker.calls.is_empty() {
                shop.finish().await;
            }
        }
        assert_eq!(shop.look().await, 0);
        assert_eq!(queue::open_intents(&shop.bank.store, "charge").await.unwrap(), 0);
        let mut called = shop.outside.called.lock().unwrap().clone();
        called.sort();
        assert_eq!(called, ["charge o1", "charge o2", "void o1"]);
        assert_eq!(shop.outside.told.load(Ordering::SeqCst), 2);
    }

    async fn while_calls_are_under_way_nobody_looks_before_there_is_something(database: Database) {
        let mut shop = Shop::open(database).await;
        shop.intend("charge", &["o1", "o2"]).await;
        assert_eq!(shop.look().await, 2);
        assert!(!shop.worker.look, "there was room for more than there was");
        shop.finish().await;
        assert!(!shop.worker.look, "there was room for more than there was");
        shop.intend("silent", &["o3"]).await;
        assert!(shop.worker.changed.has_changed().unwrap());
        assert!(shop.look().await > 0);
        while !shop.worker.calls.is_empty() {
            shop.finish().await;
        }
        assert!(shop.worker.held.next().is_some(), "what had no answer is due again");
    }

    async fn what_was_decided_twice_is_told_once(database: Database) {
        let mut shop = Shop::open(database).await;
        shop.intend("charge", &["o1", "o2"]).await;
        assert_eq!(shop.look().await, 2);
        shop.intend("void", &["o1"]).await;
        let mut ended = Vec::new();
        while let Some(called) = shop.worker.calls.join_next().await {
            ended.push(called.unwrap());
        }
        shop.worker.settle(ended).await;
        assert_eq!(shop.outside.settled.load(Ordering::SeqCst), 3, "both in hope, and the one that was not replaced");
        assert_eq!(shop.outside.told.load(Ordering::SeqCst), 1);
    }
}

/// Runs a test of a database file.
fn of_a_file(test: impl AsyncFnOnce(Shop)) {
    tradewind_testing::block_on(async { test(Shop::open(Database::sqlite()).await).await });
}

#[test]
fn what_only_a_later_build_can_call_says_nothing_about_whom_it_calls() {
    for (action, is_heard) in [("later", false), ("silent", true)] {
        of_a_file(async |mut shop| {
            shop.intend(action, &["o1", "o2", "o3", "o4", "o5", "o6", "o7", "o8"]).await;
            assert_eq!(shop.look().await, 8);
            while !shop.worker.calls.is_empty() {
                shop.finish().await;
            }
            assert_eq!(shop.worker.pace.room(Instant::now(), 0) < 8, is_heard, "{action}");
            assert!(shop.worker.held.next().is_some(), "it is due again");
        });
    }
}

#[test]
fn claims_on_a_file_are_written_only_where_it_was_not_just_written_to() {
    of_a_file(async |mut shop| {
        shop.intend("charge", &["o1", "o2"]).await;
        assert_eq!((shop.look().await, shop.written_claims().await), (2, 0));
        shop.intend("charge", &["o3"]).await;
        shop.bank.pass(2);
        assert_eq!((shop.look().await, shop.written_claims().await), (3, 3));
        shop.intend("charge", &["o4"]).await;
        shop.restart().await;
        assert_eq!((shop.look().await, shop.written_claims().await), (1, 4), "another process has written it");
    });
}

#[test]
fn on_postgresql_others_see_every_claim() {
    tradewind_testing::block_on(async {
        let mut shop = Shop::open(Database::postgres()).await;
        shop.intend("charge", &["o1", "o2"]).await;
        assert_eq!((shop.look().await, shop.written_claims().await), (2, 2));
    });
}

#[test]
fn nothing_is_called_while_the_database_cannot_be_written() {
    of_a_file(async |mut shop| {
        shop.intend("charge", &["o1"]).await;
        shop.bank.stop_writing().await;
        shop.write().await.unwrap_err();
        assert_eq!(shop.look().await, 0, "a write has just failed");
        shop.restart().await;
        shop.write().await.unwrap();
        shop.bank.stop_writing().await;
        shop.bank.pass(2);
        assert_eq!(shop.look().await, 0, "the last one was long ago");
        shop.restart().await;
        assert_eq!((shop.look().await, shop.written_claims().await), (1, 1));
    });
}

#[test]
fn nothing_is_called_while_the_file_is_not_in_its_place() {
    of_a_file(async |mut shop| {
        shop.intend("charge", &["o1"]).await;
        assert_eq!(shop.without_its_file(async |shop| shop.look().await).await, 0);
        assert_eq!(shop.look().await, 1);
    });
}

#[test]
fn a_call_whose_end_cannot_be_written_down_is_made_again_when_its_claim_has_lapsed() {
    of_a_file(async |mut shop| {
        shop.intend("silent", &["o1"]).await;
        assert_eq!(shop.look().await, 1);
        shop.without_its_file(Shop::finish).await;
        for (passed, calls) in [(0, 0), (14, 0), (1, 1)] {
            shop.bank.pass(passed);
            shop.write().await.unwrap();
            assert_eq!(shop.look().await, calls, "{passed} s later");
        }
    });
}
