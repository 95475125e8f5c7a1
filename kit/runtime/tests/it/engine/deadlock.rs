//! A reader and whoever drains its quarantine take what both need in the same order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sea_orm::ConnectionTrait;
use tokio::sync::Notify;
use tradewind_domain::{Error, ErrorKind};
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_operate::Outcome;
use tradewind_runtime::Engine;
use tradewind_sql::db;
use tradewind_store::{Store, Tx};
use tradewind_testing::account::Deposited;
use tradewind_testing::{Database, block_on, eventually};

use super::audit::{PATIENCE, Pair, Running, connect, count, note, query};
use super::drain::{is_parked, parked};

/// Refuses what is to be parked; then each event takes its turn at one row, and the first keeps it until it is told.
#[derive(Default)]
struct Turns {
    refuses: AtomicBool,
    tried: AtomicUsize,
    first_has_it: AtomicBool,
    go_on: Notify,
}

struct TakesTurns(Store, Arc<Turns>);

impl Reaction<Deposited> for TakesTurns {
    async fn react(&self, tx: &mut Tx, _: &Received<Deposited>) -> Result<(), Error> {
        let Self(store, turns) = self;
        if turns.refuses.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Rejected, "UNLUCKY", "no"));
        }
        let first = turns.tried.fetch_add(1, Ordering::SeqCst) == 0;
        let turn = query(store, "UPDATE note SET text = text WHERE about = 'turn'", []);
        tx.conn().execute_raw(turn).await.map_err(db)?;
        if first {
            turns.first_has_it.store(true, Ordering::SeqCst);
            turns.go_on.notified().await;
        }
        Ok(())
    }
}

#[test]
fn a_replay_and_a_reader_never_wait_for_each_other() {
    block_on(async {
        let pair = Pair::between(Database::sqlite(), Database::postgres()).await;
        let tx = pair.audit.begin().await.unwrap();
        note(&tx, &pair.audit, "turn", "").await.unwrap();
        tx.commit().await.unwrap();
        let turns = Arc::new(Turns { refuses: true.into(), ..Turns::default() });
        let reactions =
            Reactions::new("audit").on("note_on_deposited", TakesTurns(pair.audit.clone(), Arc::clone(&turns)));
        let engine = Engine::new(pair.audit.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
        let engine = engine.reactions(reactions);
        let quarantine = engine.quarantine();
        let (bank, audit) = (pair.start_bank().await, Running::start(engine));
        pair.deposit(&["a"], 1).await;
        is_parked(&pair, 1).await;

        turns.refuses.store(false, Ordering::SeqCst);
        pair.deposit(&["b"], 1).await;
        eventually(PATIENCE, "the reader has its turn", async || turns.first_has_it.load(Ordering::SeqCst)).await;
        let stream = parked("a");
        let replay = async {
            let drained = quarantine.replay(&stream, "operator").await.unwrap();
            drained.events.into_iter().map(|tried| tried.outcome).collect::<Vec<_>>()
        };
        let go_on = async {
            let waiting = "SELECT COUNT(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
            eventually(PATIENCE, "the replay waits", async || count(&pair.audit, waiting).await > 0).await;
            turns.go_on.notify_one();
        };
        let (replayed, ()) = futures::join!(replay, go_on);
        assert_eq!(replayed, [Outcome::Handled]);
        eventually(PATIENCE, "all is handled", async || {
            count(&pair.audit, "SELECT position FROM cursor WHERE consumer = 'audit'").await == 2
        })
        .await;
        assert_eq!(turns.tried.load(Ordering::SeqCst), 2, "one was undone, since each waited for the other");
        audit.stop().await;
        bank.stop().await;
    });
}
