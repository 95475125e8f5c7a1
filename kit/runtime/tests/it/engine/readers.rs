//! Two consumers of one source in a service.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_runtime::Engine;
use tradewind_store::Tx;
use tradewind_testing::account::Deposited;
use tradewind_testing::{block_on, eventually};

use super::audit::{NoteDeposit, PATIENCE, Pair, Running, connect, count};

/// Counts what it is given.
#[derive(Clone, Default)]
struct Counts(Arc<AtomicUsize>);

impl Reaction<Deposited> for Counts {
    async fn react(&self, _: &mut Tx, _: &Received<Deposited>) -> Result<(), Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

fn second(counts: &Counts) -> Reactions {
    Reactions::new("second").on("count_on_deposited", counts.clone())
}

async fn engine(pair: &Pair) -> Engine {
    let engine = Engine::new(pair.audit.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
    engine.reactions(Reactions::new("audit").on("note_on_deposited", NoteDeposit::new(&pair.audit)))
}

#[test]
fn each_is_given_every_event_by_the_broker() {
    block_on(async {
        let pair = Pair::new().await;
        let counts = Counts::default();
        let audit = engine(&pair).await.reactions(second(&counts).reading_as("audit-second"));
        let (bank, audit) = (pair.start_bank().await, Running::start(audit));
        pair.deposit(&["a"], 1).await;
        pair.noted(1).await;
        eventually(PATIENCE, "both read messages, and nobody asks the owner", async || {
            let before = pair.owner.asked.load(Ordering::SeqCst);
            let seen = count(&pair.audit, "SELECT COUNT(*) FROM seen").await;
            pair.deposit(&["a"], 40).await;
            pair.noted(seen + 40).await;
            eventually(PATIENCE, "the second has as many", async || {
                let (counted, wanted) = (counts.0.load(Ordering::SeqCst), usize::try_from(seen + 40).unwrap());
                if counted == wanted { Ok(()) } else { Err(counted) }
            })
            .await;
            let asked = pair.owner.asked.load(Ordering::SeqCst) - before;
            if asked == 0 { Ok(()) } else { Err(asked) }
        })
        .await;
        audit.stop().await;
        bank.stop().await;
    });
}

/// What would be given to one would be missing from the other.
#[test]
fn an_engine_does_not_start_where_two_would_take_each_others_messages() {
    block_on(async {
        let pair = Pair::new().await;
        let shared = engine(&pair).await.reactions(second(&Counts::default()).reading_as("audit"));
        let refused = shared.run(tokio_util::sync::CancellationToken::new()).await.unwrap_err();
        assert!(refused.message.starts_with("audit and second would take each other's messages of bank"), "{refused}");
    });
}
