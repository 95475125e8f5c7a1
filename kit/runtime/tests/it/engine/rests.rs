//! When what a consumer's reactions need is away: its readers rest together and go on by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_runtime::Engine;
use tradewind_store::{Store, StoreOptions, Tx};
use tradewind_testing::account::{Deposited, options};
use tradewind_testing::{Database, block_on};

use super::audit::{NoteDeposit, Pair, Running, connect, count};

const PARTITIONS: u16 = 4;
/// The fifth failure opens the circuit, when at most one attempt a partition is under way; those that begin after these, and
/// after one probe, run alone.
const BEFORE_PROBES: usize = 5 + PARTITIONS as usize;
/// So many attempts fail.
const FAILING: usize = BEFORE_PROBES + 2;

/// Takes a moment and then finds that what it needs is away.
struct Away {
    inner: NoteDeposit,
    attempts: AtomicUsize,
    under_way: AtomicUsize,
    most_probes: Arc<AtomicUsize>,
}

impl Reaction<Deposited> for Away {
    async fn react(&self, tx: &mut Tx, event: &Received<Deposited>) -> Result<(), Error> {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
        if attempt >= FAILING {
            return self.inner.react(tx, event).await;
        }
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        if attempt >= BEFORE_PROBES {
            self.most_probes.fetch_max(under_way, Ordering::SeqCst);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        Err(Error::unavailable("AWAY", "not now"))
    }
}

#[test]
fn readers_of_a_consumer_probe_one_at_a_time_and_go_on_by_themselves() {
    block_on(async {
        let bank = Database::sqlite();
        Store::open(StoreOptions { partitions: Some(PARTITIONS), ..options(&bank, "bank") }).await.unwrap();
        let pair = Pair::between(bank, Database::postgres()).await;
        let accounts: Vec<String> = (0..64).map(|number| format!("account {number}")).collect();
        let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
        pair.deposit(&accounts, 1).await;

        let most_probes = Arc::default();
        let away = Away {
            inner: NoteDeposit::new(&pair.audit),
            attempts: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            most_probes: Arc::clone(&most_probes),
        };
        let engine = Engine::new(pair.audit.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
        let audit = Running::start(engine.reactions(Reactions::new("audit").on("note_on_deposited", away)));
        let bank = pair.start_bank().await;
        pair.noted(64).await;
        assert_eq!(most_probes.load(Ordering::SeqCst), 1);
        assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM parked").await, 0);
        audit.stop().await;
        bank.stop().await;
    });
}
