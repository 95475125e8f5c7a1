//! Aggregates that begin with the events of a batch, which are looked for together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm::DbBackend;
use tradewind_domain::Error;
use tradewind_events::{Forward, Reaction, Reactions, Received};
use tradewind_runtime::Engine;
use tradewind_store::{Store, Tx};
use tradewind_testing::account::{Account, Command, Deposited};
use tradewind_testing::{Database, block_on, eventually};

use super::audit::{PATIENCE, Pair, Running, connect, deposit, open};

/// What somebody else pays in.
const BEFORE: u64 = 100;

/// Keeps an account of the same name, and in the midst of its first batch lets somebody else pay into `b`.
struct Mirror {
    meddler: Option<Store>,
    reactions: Arc<AtomicUsize>,
}

impl Reaction<Deposited> for Mirror {
    async fn react(&self, tx: &mut Tx, event: &Received<Deposited>) -> Result<(), Error> {
        if self.reactions.fetch_add(1, Ordering::SeqCst) == 0
            && let Some(meddler) = &self.meddler
        {
            deposit(meddler, "b", BEFORE).await;
        }
        let id = event.stream.id();
        tx.execute::<Account>(id, Command::Deposit(event.data.amount)).await.map(drop)
    }
}

/// None of these tests gives an event up.
async fn refuse(_: &mut Tx, _: &str) -> Result<(), Error> {
    Ok(())
}

/// Starts a mirror of what is in the bank; how often it reacts.
async fn mirror(pair: &Pair, meddler: Option<Store>) -> (Running, Arc<AtomicUsize>) {
    let reactions = Arc::default();
    let mirror = Mirror { meddler, reactions: Arc::clone(&reactions) };
    let engine = Engine::new(pair.audit.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
    (
        Running::start(engine.reactions(
            Reactions::new("audit").forward("mirror_on_deposited", Forward::new::<Account>(mirror, refuse)),
        )),
        reactions,
    )
}

async fn balances(pair: &Pair, wanted: &[(&str, u64)]) {
    eventually(PATIENCE, "the balances are as wanted", async || {
        let mut balances = Vec::new();
        for (id, _) in wanted {
            balances.push((*id, pair.audit.load::<Account>(id).await.unwrap().state.balance));
        }
        if balances == wanted { Ok(()) } else { Err(balances) }
    })
    .await;
}

tradewind_testing::both_stores! {
    async fn what_exists_already_goes_on(database: Database) {
        let pair = Pair::between(Database::sqlite(), database).await;
        deposit(&open(pair.audit_database(), "audit").await, "b", BEFORE).await;
        pair.deposit(&["a", "b", "c"], 2).await;
        let (audit, reactions) = mirror(&pair, None).await;
        balances(&pair, &[("a", 2), ("b", BEFORE + 2), ("c", 2)]).await;
        audit.stop().await;
        // PostgreSQL is not asked whether what usually begins exists: the commit finds out.
        let tries = if pair.audit.backend() == DbBackend::Postgres { 2 } else { 1 };
        assert_eq!(reactions.load(Ordering::SeqCst), 6 * tries);
    }
}

#[test]
fn what_begins_elsewhere_meanwhile_is_found_at_commit() {
    block_on(async {
        let pair = Pair::between(Database::sqlite(), Database::postgres()).await;
        pair.deposit(&["a", "b", "c"], 1).await;
        let meddler = open(pair.audit_database(), "audit").await;
        let (audit, reactions) = mirror(&pair, Some(meddler)).await;
        balances(&pair, &[("a", 1), ("b", BEFORE + 1), ("c", 1)]).await;
        audit.stop().await;
        assert_eq!(reactions.load(Ordering::SeqCst), 6, "the batch was decided on what was there when it began");
    });
}
