//! From a commit in one service to a committed effect in another: two stores, two engines, each on threads of its own, and a
//! real broker between them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use sea_orm::{ConnectionTrait as _, Statement};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, BrokerOptions};
use tradewind_domain::Error;
use tradewind_events::Reactions;
use tradewind_runtime::Engine;
use tradewind_store::Store;
use tradewind_testing::{Database, Nats};

use crate::load::{For, per_second};
use crate::toy::{self, AUDIT, Account, BANK, Deposit, Journal, NoteDeposit, Owner};

/// Threads of each service, as many as a service has.
const THREADS: usize = 2;
/// Accounts that are paid into in turn.
const ACCOUNTS: u64 = 256;
/// How many events the bank may be ahead of the audit.
const AHEAD: u64 = 4_096;
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured at one batch size.
pub(crate) struct Measured {
    /// Events a second from the first commit to the last effect, as fast as it goes.
    pub(crate) sustained: f64,
    /// Microseconds from commit to effect, at half of that.
    pub(crate) at_half: Histogram<u64>,
}

/// When something happened to a batch.
type Moments = Vec<(u64, Instant)>;

/// The two services at work.
pub(crate) struct Flow {
    bank: Service,
    audit: Service,
    batches: u64,
    written: u64,
    effects: watch::Receiver<u64>,
    seen: Arc<Mutex<Moments>>,
    _databases: [Database; 2],
}

impl Flow {
    /// Starts both services.
    pub(crate) fn start(databases: [Database; 2], nats: &Nats) -> Result<Self> {
        let [bank, audit] = &databases;
        let bank = Service::start(bank, BANK, nats, None, |engine| engine)?;
        let journal = Journal::default();
        let reactions = Reactions::new(AUDIT).on("note_on_deposited", NoteDeposit(journal.clone()));
        let audit = Service::start(audit, AUDIT, nats, Some(bank.owner()), |engine| engine.reactions(reactions))?;
        let (effects_sender, effects) = watch::channel(0);
        let seen = Arc::default();
        let log = bank.store.incarnation().as_u64_pair().0;
        audit.runtime.spawn(watch_effects(audit.store.clone(), log, journal, effects_sender, Arc::clone(&seen)));
        Ok(Self { bank, audit, batches: 0, written: 0, effects, seen, _databases: databases })
    }

    /// Measures with `batch` events a transaction.
    pub(crate) fn measure(&mut self, batch: usize, time: For) -> Result<Measured> {
        let started = Instant::now();
        let before = self.written;
        self.deposit(batch, None, time)?;
        let sustained = per_second(self.written - before, started.elapsed())?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let batches = sustained / 2.0 / f64::from(u32::try_from(batch)?);
        let committed = self.deposit(batch, Some(Duration::from_secs_f64(1.0 / batches)), time)?;
        Ok(Measured { sustained, at_half: self.latencies(committed)? })
    }

    /// Deposits for a time, every so often or as fast as it goes, and waits for the last effect; tells when each batch was
    /// committed.
    fn deposit(&mut self, batch: usize, every: Option<Duration>, time: For) -> Result<Moments> {
        let (store, mut effects) = (self.bank.store.clone(), self.effects.clone());
        let (mut number, mut written) = (self.batches, self.written);
        let size = u64::try_from(batch)?;
        let depositing = async move {
            let mut committed = Moments::new();
            let (until, mut next) = (time.end(), tokio::time::Instant::now());
            while Instant::now() < until {
                if let Some(every) = every {
                    next += every;
                    tokio::time::sleep_until(next).await;
                }
                effects.wait_for(|effects| written + size <= effects + AHEAD).await?;
                number += 1;
                store.retry(|| deposit(&store, number, batch)).await?;
                committed.push((number, Instant::now()));
                written += size;
            }
            tokio::time::timeout(PATIENCE, effects.wait_for(|effects| *effects >= written)).await??;
            anyhow::Ok((number, written, committed))
        };
        let (number, written, committed) = self.bank.runtime.block_on(self.bank.runtime.spawn(depositing))??;
        (self.batches, self.written) = (number, written);
        Ok(committed)
    }

    fn latencies(&self, committed: Moments) -> Result<Histogram<u64>> {
        let committed: HashMap<u64, Instant> = committed.into_iter().collect();
        let mut micros = Histogram::new(3)?;
        for (batch, seen) in &*self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            if let Some(committed) = committed.get(batch) {
                micros.record(u64::try_from(seen.saturating_duration_since(*committed).as_micros())?)?;
            }
        }
        Ok(micros)
    }

    /// Ends both services, and makes sure that every event had its effect once.
    pub(crate) fn finish(self) -> Result<()> {
        let count = async {
            let backend = self.audit.store.backend();
            let count = Statement::from_string(backend, "SELECT COUNT(*) AS effects FROM effect");
            let row = self.audit.store.reader().query_one_raw(count).await?;
            anyhow::Ok(row.map(|row| row.try_get::<i64>("", "effects")).transpose()?.unwrap_or_default())
        };
        let effects = u64::try_from(self.audit.runtime.block_on(count)?)?;
        ensure!(effects == self.written, "{} events had {effects} effects", self.written);
        self.audit.stop()?;
        self.bank.stop()
    }
}

/// One transaction of the bank's.
async fn deposit(store: &Store, batch: u64, times: usize) -> Result<(), Error> {
    let account = (batch % ACCOUNTS).to_string();
    let mut tx = store.begin().await?;
    tx.execute::<Account>(&account, Deposit { batch, times }).await?;
    tx.commit().await.map(drop)
}

/// Waits, as a client would, until what the audit handles is committed, and notes when that was.
async fn watch_effects(
    audit: Store,
    log: u64,
    journal: Journal,
    effects: watch::Sender<u64>,
    seen: Arc<Mutex<Moments>>,
) -> Result<(), Error> {
    loop {
        let handled = journal.take().await;
        let last: BTreeMap<u16, u64> = handled.iter().map(|handled| (handled.partition, handled.position)).collect();
        let token = |(partition, position)| format!("{BANK}:{log:016x}:{partition}:{position}");
        let token = last.iter().map(token).collect::<Vec<_>>().join(",");
        audit.wait_for(AUDIT, &[token], PATIENCE).await?;
        let now = Instant::now();
        seen.lock().unwrap_or_else(PoisonError::into_inner).extend(handled.iter().map(|handled| (handled.batch, now)));
        effects.send_modify(|effects| *effects += u64::try_from(handled.len()).unwrap_or_default());
    }
}

/// A store and its engine on threads of their own.
struct Service {
    runtime: Runtime,
    store: Store,
    engine: JoinHandle<Result<(), Error>>,
    stop: CancellationToken,
}

impl Service {
    /// Starts a service; `source` is the log it reads, its own where there is none.
    fn start(
        database: &Database,
        context: &'static str,
        nats: &Nats,
        source: Option<Owner>,
        with: impl FnOnce(Engine) -> Engine,
    ) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
        let options = BrokerOptions { url: nats.url(), tls: None, name: context.to_owned() };
        let url = database.url();
        let (store, broker) =
            runtime.block_on(async { tokio::try_join!(toy::open(&url, context), Broker::connect(options)) })?;
        let source = source.unwrap_or_else(|| Owner { store: store.clone(), runtime: runtime.handle().clone() });
        let stop = CancellationToken::new();
        let engine = with(Engine::new(store.clone(), broker, Arc::new(source)));
        let engine = runtime.spawn(engine.run(stop.clone()));
        Ok(Self { runtime, store, engine, stop })
    }

    fn owner(&self) -> Owner {
        Owner { store: self.store.clone(), runtime: self.runtime.handle().clone() }
    }

    fn stop(self) -> Result<()> {
        self.stop.cancel();
        self.runtime.block_on(self.engine)??;
        Ok(())
    }
}
