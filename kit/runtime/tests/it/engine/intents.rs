//! Calls to the outside: no answer is asked for again, an answer is settled once, a replaced call's answer is dropped.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tradewind_domain::{Error, ErrorKind};
use tradewind_runtime::Engine;
use tradewind_store::{Store, Tx};
use tradewind_testing::{Database, Nats, block_on, eventually};
use tradewind_work::{Intent, IntentHandler, NewIntent, Unknown, intend, withdraw};

use super::audit::{Direct, PATIENCE, Running, connect, count, note, notes, open};

/// The world outside, as the test has it.
#[derive(Default)]
struct Outside {
    /// So many calls of an action get no answer.
    silent: Mutex<HashMap<String, usize>>,
    calls: Mutex<Vec<(String, String)>>,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
    /// So many answers cannot be recorded, for the moment or for a defect.
    unsettled: Mutex<Vec<ErrorKind>>,
}

/// Calls it, one permit a call where there is a gate.
struct Charge {
    store: Store,
    outside: Arc<Outside>,
    gate: Option<Arc<Semaphore>>,
}

impl IntentHandler for Charge {
    const KIND: &'static str = "charge";
    type Outcome = String;

    async fn call(&self, intent: &Intent) -> Result<String, Unknown> {
        let now = self.outside.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.outside.most_under_way.fetch_max(now, Ordering::SeqCst);
        self.outside.calls.lock().unwrap().push((intent.key.clone(), intent.action.clone()));
        if let Some(gate) = &self.gate
            && intent.action == "charge"
        {
            gate.acquire().await.unwrap().forget();
        }
        self.outside.under_way.fetch_sub(1, Ordering::SeqCst);
        let mut silent = self.outside.silent.lock().unwrap();
        match silent.get_mut(&intent.action) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Err(Unknown("silence".to_owned()))
            }
            _ => Ok(format!("{} after {}", intent.action, intent.attempt)),
        }
    }

    async fn settle(&self, tx: &mut Tx, intent: &Intent, outcome: &String) -> Result<(), Error> {
        if let Some(kind) = self.outside.unsettled.lock().unwrap().pop() {
            return Err(Error::new(kind, "UNSETTLED", "not now"));
        }
        note(tx, &self.store, &intent.key, outcome).await
    }
}

struct Debtor {
    store: Store,
    nats: Nats,
    outside: Arc<Outside>,
    _database: Database,
}

impl Debtor {
    async fn open(database: Database) -> Self {
        let store = open(&database, "audit").await;
        Self { store, nats: Nats::start(), outside: Arc::default(), _database: database }
    }

    async fn start(&self, gate: Option<&Arc<Semaphore>>) -> Running {
        let handler =
            Charge { store: self.store.clone(), outside: Arc::clone(&self.outside), gate: gate.map(Arc::clone) };
        let source = Arc::new(Direct::to(&self.store));
        let engine = Engine::new(self.store.clone(), connect(&self.nats).await, source);
        Running::start(engine.holder("shop@here").grace(Duration::from_secs(5)).intents(handler, 8))
    }

    async fn intend(&self, key: &str, action: &str) {
        let mut tx = self.store.begin().await.unwrap();
        let (key, subject, action) = (key.to_owned(), key.to_owned(), action.to_owned());
        let intent = NewIntent { kind: "charge", key, action, payload: vec![], subject };
        intend(&mut tx, intent);
        tx.commit().await.unwrap();
    }

    async fn settled(&self) {
        eventually(PATIENCE, "nothing is owed any more", async || {
            count(&self.store, "SELECT COUNT(*) FROM intent").await == 0
        })
        .await;
    }

    async fn called(&self, times: usize) {
        let calls = &self.outside.calls;
        eventually(PATIENCE, &format!("{times} calls"), async || calls.lock().unwrap().len() >= times).await;
    }
}

fn noted(key: &str, outcome: &str) -> (String, String) {
    (key.to_owned(), outcome.to_owned())
}

tradewind_testing::both_stores! {
    async fn an_unanswered_call_is_made_again_and_its_answer_settled_once(database: Database) {
        let debtor = Debtor::open(database).await;
        debtor.outside.silent.lock().unwrap().insert("charge".to_owned(), 2);
        let running = debtor.start(None).await;
        debtor.intend("order", "charge").await;
        debtor.settled().await;
        assert_eq!(notes(&debtor.store).await, [noted("order", "charge after 2")]);
        assert_eq!(debtor.outside.calls.lock().unwrap().len(), 3);
        running.stop().await;
    }

    async fn many_are_called_together_and_settled_once_each(database: Database) {
        let debtor = Debtor::open(database).await;
        for order in 0..200 {
            debtor.intend(&format!("order {order:03}"), "charge").await;
        }
        let gate = Arc::new(Semaphore::new(0));
        let running = debtor.start(Some(&gate)).await;
        debtor.called(8).await;
        gate.add_permits(200);
        debtor.settled().await;
        running.stop().await;
        let keys: Vec<String> = notes(&debtor.store).await.into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, (0..200).map(|order| format!("order {order:03}")).collect::<Vec<_>>());
        assert_eq!(debtor.outside.most_under_way.load(Ordering::SeqCst), 8);
    }

    async fn the_answer_of_a_replaced_intent_is_dropped(database: Database) {
        let debtor = Debtor::open(database).await;
        let gate = Arc::new(Semaphore::new(0));
        let running = debtor.start(Some(&gate)).await;
        debtor.intend("order", "charge").await;
        debtor.called(1).await;
        debtor.intend("order", "void").await;
        debtor.settled().await;
        gate.add_permits(1);
        running.stop().await;
        assert_eq!(notes(&debtor.store).await, [noted("order", "void after 0")]);
    }

    async fn the_answer_of_a_withdrawn_intent_is_dropped(database: Database) {
        let debtor = Debtor::open(database).await;
        let gate = Arc::new(Semaphore::new(0));
        let running = debtor.start(Some(&gate)).await;
        debtor.intend("order", "charge").await;
        debtor.called(1).await;
        let mut tx = debtor.store.begin().await.unwrap();
        assert!(withdraw(&mut tx, "charge", "order").await.unwrap());
        tx.commit().await.unwrap();
        gate.add_permits(1);
        running.stop().await;
        assert_eq!(notes(&debtor.store).await, []);
    }
}

#[test]
fn a_call_under_way_is_waited_for_and_settled_when_the_process_stops() {
    block_on(async {
        let debtor = Debtor::open(Database::sqlite()).await;
        let gate = Arc::new(Semaphore::new(0));
        let running = debtor.start(Some(&gate)).await;
        debtor.intend("order", "charge").await;
        debtor.called(1).await;
        let (stopped, ()) = tokio::join!(running.stop(), async { gate.add_permits(1) });
        assert_eq!(stopped, ());
        assert_eq!(notes(&debtor.store).await, [noted("order", "charge after 0")]);
    });
}

#[test]
fn a_killed_process_takes_its_calls_up_at_once_when_it_is_back() {
    block_on(async {
        let debtor = Debtor::open(Database::sqlite()).await;
        let gate = Arc::new(Semaphore::new(0));
        let running = debtor.start(Some(&gate)).await;
        debtor.intend("order", "charge").await;
        debtor.called(1).await;
        running.kill().await;
        let running = debtor.start(None).await;
        debtor.settled().await;
        assert_eq!(notes(&debtor.store).await, [noted("order", "charge after 0")]);
        running.stop().await;
    });
}

#[test]
fn an_answer_that_cannot_be_recorded_for_the_moment_is_kept() {
    block_on(async {
        let debtor = Debtor::open(Database::sqlite()).await;
        debtor.outside.unsettled.lock().unwrap().extend([ErrorKind::Unavailable; 3]);
        let running = debtor.start(None).await;
        debtor.intend("order", "charge").await;
        debtor.settled().await;
        assert_eq!(debtor.outside.calls.lock().unwrap().len(), 1);
        assert_eq!(notes(&debtor.store).await, [noted("order", "charge after 0")]);
        running.stop().await;
    });
}

#[test]
fn an_answer_that_cannot_be_recorded_for_a_defect_stays_owed_and_blocks_no_other() {
    block_on(async {
        let debtor = Debtor::open(Database::sqlite()).await;
        debtor.outside.unsettled.lock().unwrap().push(ErrorKind::Internal);
        let running = debtor.start(None).await;
        debtor.intend("unlucky", "charge").await;
        eventually(PATIENCE, "the fault is kept with the intent", async || {
            count(&debtor.store, "SELECT COUNT(*) FROM intent WHERE last_error = 'not now' AND attempt = 1").await == 1
        })
        .await;
        debtor.intend("order", "charge").await;
        eventually(PATIENCE, "the other is settled", async || {
            notes(&debtor.store).await.contains(&noted("order", "charge after 0"))
        })
        .await;
        running.stop().await;
    });
}
