//! Deadlines: they fire once, late rather than never, and a failing one holds up no other.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tradewind_domain::Error;
use tradewind_runtime::Engine;
use tradewind_store::{Store, Tx};
use tradewind_testing::{Database, Nats, eventually};
use tradewind_work::{TimerHandler, cancel_timer, schedule};

use super::audit::{Direct, PATIENCE, Running, connect, count, note, notes, open};

/// Notes what fires, unless it is among the failing.
struct Remind {
    store: Store,
    failing: Arc<Mutex<HashSet<String>>>,
}

impl TimerHandler for Remind {
    const NAME: &'static str = "remind";

    async fn fire(&self, tx: &mut Tx, key: &str, payload: &[u8]) -> Result<(), Error> {
        note(tx, &self.store, key, &String::from_utf8_lossy(payload)).await?;
        if self.failing.lock().unwrap().contains(key) { Err(Error::internal("broken")) } else { Ok(()) }
    }
}

struct Calendar {
    store: Store,
    nats: Nats,
    failing: Arc<Mutex<HashSet<String>>>,
    _database: Database,
}

impl Calendar {
    async fn open(database: Database) -> Self {
        let store = open(&database, "audit").await;
        Self { store, nats: Nats::start(), failing: Arc::default(), _database: database }
    }

    async fn start(&self) -> Running {
        let handler = Remind { store: self.store.clone(), failing: Arc::clone(&self.failing) };
        let source = Arc::new(Direct::to(&self.store));
        Running::start(Engine::new(self.store.clone(), connect(&self.nats).await, source).timer(handler))
    }

    /// Sets a deadline so many milliseconds from now.
    async fn set(&self, key: &str, milliseconds: i64) {
        let mut tx = self.store.begin().await.unwrap();
        let due = tx.now() + time::Duration::milliseconds(milliseconds);
        schedule(&mut tx, "remind", key, due, format!("of {key}").into_bytes());
        tx.commit().await.unwrap();
    }

    async fn left(&self, deadlines: i64) {
        eventually(PATIENCE, &format!("{deadlines} deadlines are left"), async || {
            count(&self.store, "SELECT COUNT(*) FROM timer").await == deadlines
        })
        .await;
    }

    async fn fired(&self) -> Vec<String> {
        notes(&self.store).await.into_iter().map(|(key, _)| key).collect()
    }
}

tradewind_testing::both_stores! {
    async fn what_fell_due_while_nobody_ran_fires_at_the_start(database: Database) {
        let calendar = Calendar::open(database).await;
        for key in 0..150 {
            calendar.set(&format!("{key:03}"), -1_000 * key).await;
        }
        calendar.set("far", 3_600_000).await;
        let running = calendar.start().await;
        calendar.left(1).await;
        running.stop().await;
        assert_eq!(calendar.fired().await, (0..150).map(|key| format!("{key:03}")).collect::<Vec<_>>());
    }

    async fn a_deadline_fires_when_it_is_due_and_a_cancelled_one_never(database: Database) {
        let calendar = Calendar::open(database).await;
        let running = calendar.start().await;
        calendar.set("cancelled", 200).await;
        calendar.set("moved", 100).await;
        let mut tx = calendar.store.begin().await.unwrap();
        cancel_timer(&mut tx, "remind", "cancelled");
        tx.commit().await.unwrap();
        calendar.set("moved", 3_600_000).await;
        calendar.set("soon", 300).await;
        calendar.left(1).await;
        assert_eq!(calendar.fired().await, ["soon"]);
        running.stop().await;
    }

    async fn a_failing_one_holds_up_no_other_and_is_tried_again(database: Database) {
        let calendar = Calendar::open(database).await;
        calendar.failing.lock().unwrap().insert("broken".to_owned());
        calendar.set("broken", -10_000).await;
        calendar.set("a", -5_000).await;
        calendar.set("b", 50).await;
        let running = calendar.start().await;
        calendar.left(1).await;
        assert_eq!(calendar.fired().await, ["a", "b"]);
        calendar.failing.lock().unwrap().clear();
        calendar.left(0).await;
        assert_eq!(calendar.fired().await, ["a", "b", "broken"]);
        running.stop().await;
    }
}

#[test]
fn a_new_deadline_does_not_wait_for_the_next_poll() {
    tradewind_testing::block_on(async {
        let calendar = Calendar::open(Database::sqlite()).await;
        let running = calendar.start().await;
        for round in 0..20 {
            let started = std::time::Instant::now();
            calendar.set("now", 0).await;
            calendar.left(0).await;
            if started.elapsed() < Duration::from_millis(500) {
                running.stop().await;
                return;
            }
            assert!(round < 19, "every deadline waited for a poll");
        }
    });
}
