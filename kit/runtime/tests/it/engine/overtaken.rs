//! When somebody else moves a reader's cursor while it handles a run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use sea_orm::ConnectionTrait;
use tokio::task::JoinHandle;
use tradewind_domain::{Error, ErrorKind};
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_runtime::Engine;
use tradewind_store::{Store, Tx};
use tradewind_testing::account::Deposited;
use tradewind_testing::{block_on, eventually};

use super::audit::{PATIENCE, Pair, Running, connect, count, note, notes, query};

/// Refuses the first event with its batch, and fails with `alone` when it is tried alone; by then somebody else waits to move
/// the cursor beyond the whole batch. Everything else it notes.
struct Interrupted {
    store: Store,
    alone: ErrorKind,
    tried: AtomicUsize,
    mover: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Interrupted {
    /// Gets in line for the next transaction, before the reader does.
    fn queue_mover(&self) {
        let store = self.store.clone();
        let mut turn = Box::pin(async move { store.begin().await.map(|tx| (store, tx)) });
        assert!((&mut turn).now_or_never().is_none(), "the reader's transaction is under way");
        let moving = tokio::spawn(async move {
            let (store, tx) = turn.await.unwrap();
            tx.conn().execute_raw(query(&store, "UPDATE cursor SET position = 3", [])).await.unwrap();
            tx.commit().await.unwrap();
        });
        *self.mover.lock().unwrap() = Some(moving);
    }
}

impl Reaction<Deposited> for Interrupted {
    async fn react(&self, tx: &mut Tx, event: &Received<Deposited>) -> Result<(), Error> {
        if event.position == 1 {
            match self.tried.fetch_add(1, Ordering::SeqCst) {
                0 => return Err(Error::new(ErrorKind::Rejected, "UNLUCKY", "no")),
                1 => {
                    self.queue_mover();
                    return Err(Error::new(self.alone, "ALONE", "no"));
                }
                _ => {}
            }
        }
        note(tx, &self.store, &event.position.to_string(), "handled").await
    }
}

async fn goes_on_where_the_other_left_off(alone: ErrorKind) {
    let pair = Pair::new().await;
    pair.deposit(&["a", "b", "c"], 1).await;
    let cursor = "INSERT INTO cursor (consumer, source, partition, position, incarnation, updated) \
         VALUES ('audit', 'bank', 0, 0, $1, 0)";
    let tx = pair.audit.begin().await.unwrap();
    let cursor = query(&pair.audit, cursor, [pair.bank.incarnation().to_string().into()]);
    tx.conn().execute_raw(cursor).await.unwrap();
    tx.commit().await.unwrap();

    let mover = Arc::default();
    let reaction =
        Interrupted { store: pair.audit.clone(), alone, tried: AtomicUsize::new(0), mover: Arc::clone(&mover) };
    let engine = Engine::new(pair.audit.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
    let audit = Running::start(engine.reactions(Reactions::new("audit").on("note_on_deposited", reaction)));
    eventually(PATIENCE, "the cursor is moved", async || mover.lock().unwrap().is_some()).await;
    let moving = mover.lock().unwrap().take().unwrap();
    moving.await.unwrap();

    pair.deposit(&["d"], 1).await;
    eventually(PATIENCE, "what follows is handled", async || {
        count(&pair.audit, "SELECT COUNT(*) FROM note WHERE about = '4'").await == 1
    })
    .await;
    audit.stop().await;
    assert_eq!(notes(&pair.audit).await, [("4".to_owned(), "handled".to_owned())], "{alone:?}");
    assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM parked").await, 0, "{alone:?}");
    assert_eq!(count(&pair.audit, "SELECT position FROM cursor WHERE consumer = 'audit'").await, 4, "{alone:?}");
}

#[test]
fn a_reader_overtaken_while_it_isolates_a_failure_handles_nothing_twice() {
    block_on(async {
        for alone in [ErrorKind::Unavailable, ErrorKind::Rejected] {
            goes_on_where_the_other_left_off(alone).await;
        }
    });
}
