//! Consumers that an operator pauses: nothing is handled until they are resumed, and nothing is missed.

use std::sync::Arc;

use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_operate::{pause_consumer, resume_consumer};
use tradewind_runtime::Engine;
use tradewind_store::{Store, Tx};
use tradewind_testing::account::Deposited;
use tradewind_testing::{Database, eventually};

use super::audit::{NoteDeposit, PATIENCE, Pair, Running, connect, count, note, open};

/// Notes every deposit, too, and is never paused.
struct Witness(Store);

impl Reaction<Deposited> for Witness {
    async fn react(&self, tx: &mut Tx, event: &Received<Deposited>) -> Result<(), Error> {
        note(tx, &self.0, &event.position.to_string(), "witnessed").await
    }
}

async fn start(pair: &Pair) -> Running {
    let engine = Engine::new(pair.audit.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
    let audit = Reactions::new("audit").on("note_on_deposited", NoteDeposit::new(&pair.audit));
    Running::start(
        engine
            .reactions(audit)
            .reactions(Reactions::new("witness").on("witness_on_deposited", Witness(pair.audit.clone()))),
    )
}

async fn seen(pair: &Pair) -> i64 {
    count(&pair.audit, "SELECT COUNT(*) FROM seen").await
}

/// Deposits one and waits until the witness has seen all `deposits` by then.
async fn witnessed(pair: &Pair, deposits: &mut i64) {
    pair.deposit(&["a"], 1).await;
    *deposits += 1;
    eventually(PATIENCE, "the witness has seen it", async || {
        count(&pair.audit, "SELECT COUNT(*) FROM note").await == *deposits
    })
    .await;
}

/// Waits until the audit falls behind, and makes sure that it handles nothing more whatever comes.
async fn rests(pair: &Pair, deposits: &mut i64) {
    eventually(PATIENCE, "the audit falls behind", async || {
        witnessed(pair, deposits).await;
        seen(pair).await + 5 < *deposits
    })
    .await;
    let before = seen(pair).await;
    for _ in 0..10 {
        witnessed(pair, deposits).await;
    }
    assert_eq!(seen(pair).await, before);
}

tradewind_testing::both_stores! {
    async fn a_paused_consumer_rests_and_goes_on_where_it_was(database: Database) {
        let pair = Pair::between(Database::sqlite(), database).await;
        let (bank, audit) = (pair.start_bank().await, start(&pair).await);
        let mut deposits = 0;
        witnessed(&pair, &mut deposits).await;
        pair.noted(deposits).await;
        pause_consumer(&pair.audit, "audit", "ann", "a look").await.unwrap();
        rests(&pair, &mut deposits).await;
        resume_consumer(&pair.audit, "audit").await.unwrap();
        pair.noted(deposits).await;
        audit.stop().await;
        bank.stop().await;
    }

    async fn a_pause_holds_for_whoever_starts_and_may_come_from_another_process(database: Database) {
        let pair = Pair::between(Database::sqlite(), database).await;
        let tool = open(pair.audit_database(), "audit").await;
        pause_consumer(&tool, "audit", "ann", "a look").await.unwrap();
        let (bank, audit) = (pair.start_bank().await, start(&pair).await);
        let mut deposits = 0;
        rests(&pair, &mut deposits).await;
        assert_eq!(seen(&pair).await, 0);
        resume_consumer(&tool, "audit").await.unwrap();
        pair.noted(deposits).await;
        audit.stop().await;
        bank.stop().await;
    }
}
