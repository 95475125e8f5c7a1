//! A process that dies while it calls the outside, at each point of the protocol: another makes the call again, with the same
//! key, and settles it once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tradewind_domain::Error;
use tradewind_runtime::Engine;
use tradewind_store::{Store, Tx};
use tradewind_testing::{Database, Nats, eventually};
use tradewind_work::{Intent, IntentHandler, NewIntent, Unknown, intend};

use super::audit::{Direct, PATIENCE, Running, connect, count, note, notes, open};

/// Longer than anybody here waits: no claim lapses.
const FOR_EVER: Duration = Duration::from_secs(3600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    BeforeCall,
    DuringCall,
    AfterAnswer,
    BeforeResult,
}

#[derive(Default)]
struct Outside {
    keys: Mutex<Vec<String>>,
    reached: AtomicBool,
}

/// Calls it, but gets no further than where it is to die.
struct Charge {
    store: Store,
    outside: Arc<Outside>,
    dies: Option<Point>,
}

impl Charge {
    async fn reach(&self, point: Point) {
        if self.dies == Some(point) {
            self.outside.reached.store(true, Ordering::SeqCst);
            std::future::pending().await
        }
    }
}

impl IntentHandler for Charge {
    const KIND: &'static str = "charge";
    type Outcome = String;

    async fn call(&self, intent: &Intent) -> Result<String, Unknown> {
        self.reach(Point::BeforeCall).await;
        self.outside.keys.lock().unwrap().push(format!("{}/{}", intent.action, intent.key));
        self.reach(Point::DuringCall).await;
        Ok("paid".to_owned())
    }

    async fn settle(&self, tx: &mut Tx, intent: &Intent, outcome: &String) -> Result<(), Error> {
        self.reach(Point::AfterAnswer).await;
        note(tx, &self.store, &intent.key, outcome).await?;
        self.reach(Point::BeforeResult).await;
        Ok(())
    }
}

async fn start(database: &Database, nats: &Nats, outside: &Arc<Outside>, name: &str, dies: Option<Point>) -> Running {
    let store = open(database, "audit").await;
    let handler = Charge { store: store.clone(), outside: Arc::clone(outside), dies };
    let engine = Engine::new(store.clone(), connect(nats).await, Arc::new(Direct::to(&store)));
    Running::start(engine.holder(name).call_timeout(FOR_EVER).intents(handler, 8))
}

async fn survives(database: &Database, nats: &Nats, store: &Store, dies: Point) {
    let (order, outside) = (format!("{dies:?}"), Arc::default());
    let mut tx = store.begin().await.unwrap();
    let (key, subject) = (order.clone(), order.clone());
    let intent = NewIntent { kind: "charge", key, action: "charge".to_owned(), payload: vec![], subject };
    intend(&mut tx, intent);
    tx.commit().await.unwrap();

    let one = start(database, nats, &outside, "one", Some(dies)).await;
    eventually(PATIENCE, "the first process has come so far", async || outside.reached.load(Ordering::SeqCst)).await;
    one.kill().await;
    // A database file has one process at a time, which comes back under its name.
    let successor = if database.is_postgres() { "two" } else { "one" };
    let other = start(database, nats, &outside, successor, None).await;
    eventually(PATIENCE, &format!("what died {dies:?} is settled"), async || {
        count(store, "SELECT COUNT(*) FROM intent").await == 0
    })
    .await;
    other.stop().await;
    let calls = if dies == Point::BeforeCall { 1 } else { 2 };
    assert_eq!(*outside.keys.lock().unwrap(), vec![format!("charge/{order}"); calls], "{dies:?}");
    let noted = notes(store).await.into_iter().filter(|(key, _)| *key == order).count();
    assert_eq!(noted, 1, "{dies:?}");
}

tradewind_testing::both_stores! {
    async fn a_call_survives_its_process_at_any_point(database: Database) {
        let (nats, store) = (Nats::start(), open(&database, "audit").await);
        for dies in [Point::BeforeCall, Point::DuringCall, Point::AfterAnswer, Point::BeforeResult] {
            survives(&database, &nats, &store, dies).await;
        }
    }
}
