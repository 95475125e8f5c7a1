//! What is told of the connections to a database: how many there are, are in use and may be, and how long somebody waits for one.

use std::sync::Arc;
use std::time::Instant;

use opentelemetry::metrics::{AsyncInstrument, BoundHistogram};
use opentelemetry::{KeyValue, global};
use sea_orm::{DatabaseConnection, DbBackend};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tradewind_telemetry::names;

/// The connections of one pool at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// Those that somebody uses.
    pub(crate) used: usize,
    /// Those that are open; of SQLite's, which are opened files, nobody counts them.
    pub(crate) open: Option<usize>,
}

/// What those of one pool are for.
#[derive(Clone, Copy)]
pub(crate) enum Pool {
    Transactions,
    Reads,
    Vital,
}

impl Pool {
    const fn name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Reads => "reads",
            Self::Vital => "vital",
        }
    }

    fn label(self) -> KeyValue {
        KeyValue::new(names::DB_CLIENT_CONNECTION_POOL_NAME, self.name())
    }
}

/// Has `look` asked, whenever metrics are read, how the connections of a pool stand, of which `most` are used at once; it says nothing
/// once there is no such pool.
pub(crate) fn watch(pool: Pool, most: usize, look: impl Fn() -> Option<Now> + Clone + Send + Sync + 'static) {
    let meter = global::meter("tradewind");
    let (label, is_there) = (pool.label(), look.clone());
    let count = move |count: &dyn AsyncInstrument<i64>| {
        let Some(Now { used, open }) = look() else { return };
        let idle = open.map(|open| ("idle", open.saturating_sub(used)));
        for (state, number) in [("used", used)].into_iter().chain(idle) {
            let state = KeyValue::new(names::DB_CLIENT_CONNECTION_STATE, state);
            count.observe(i64::try_from(number).unwrap_or(i64::MAX), &[label.clone(), state]);
        }
    };
    let _kept_by_the_meter = meter
        .i64_observable_up_down_counter(names::DB_CLIENT_CONNECTION_COUNT)
        .with_unit("{connection}")
        .with_description("Connections to the database, by whether somebody uses them")
        .with_callback(count)
        .build();
    let label = pool.label();
    let most = move |limit: &dyn AsyncInstrument<i64>| {
        if is_there().is_some() {
            limit.observe(i64::try_from(most).unwrap_or(i64::MAX), std::slice::from_ref(&label));
        }
    };
    let _kept_by_the_meter = meter
        .i64_observable_up_down_counter(names::DB_CLIENT_CONNECTION_MAX)
        .with_unit("{connection}")
        .with_description("Connections to the database that may be in use at once")
        .with_callback(most)
        .build();
}

/// How long those wait who want a connection of a pool.
pub(crate) struct Waits(BoundHistogram<f64>);

impl Waits {
    pub(crate) fn of(pool: Pool) -> Self {
        let waits = global::meter("tradewind")
            .f64_histogram(names::DB_CLIENT_CONNECTION_WAIT_TIME)
            .with_unit("s")
            .with_description("How long a connection to the database was waited for")
            .build();
        Self(waits.bind(&[pool.label()]))
    }

    /// Waits, and notes how long, also where somebody gives it up.
    pub(crate) async fn during<T>(&self, wait: impl Future<Output = T>) -> T {
        let _noted = Noted(self, Instant::now());
        wait.await
    }
}

struct Noted<'a>(&'a Waits, Instant);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.0.0.record(self.1.elapsed().as_secs_f64());
    }
}

/// A pool of the driver's, and the turns of those who use its connections: who waits for one waits here.
pub(crate) struct Turns {
    pool: DatabaseConnection,
    turns: Arc<Semaphore>,
    all: usize,
    waits: Waits,
}

impl Turns {
    /// So many at once.
    pub(crate) fn new(what: Pool, pool: DatabaseConnection, all: usize) -> Arc<Self> {
        let turns = Arc::new(Self { pool, turns: Arc::new(Semaphore::new(all)), all, waits: Waits::of(what) });
        let watched = Arc::downgrade(&turns);
        watch(what, all, move || watched.upgrade().map(|turns| turns.now()));
        turns
    }

    pub(crate) fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// A turn, where nobody has to wait for one.
    pub(crate) fn at_once(&self) -> Option<SemaphorePermit<'_>> {
        let turn = self.turns.try_acquire().ok()?;
        self.waits.0.record(0.0);
        Some(turn)
    }

    /// A turn, as soon as there is one.
    ///
    /// # Errors
    /// None: it is never closed.
    pub(crate) async fn take(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.waits.during(self.turns.acquire()).await
    }

    /// The same for whoever keeps it.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub(crate) async fn take_along(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.waits.during(Arc::clone(&self.turns).acquire_owned()).await
    }

    fn now(&self) -> Now {
        let open = match self.pool.get_database_backend() {
            DbBackend::Postgres => usize::try_from(self.pool.get_postgres_connection_pool().size()).ok(),
            _ => None,
        };
        Now { used: self.all.saturating_sub(self.turns.available_permits()), open }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

    use super::*;
    use crate::sqlite::{self, Options};

    /// What is told now, by name, pool and state; of waits, how many there were.
    fn told(meters: &SdkMeterProvider, exporter: &InMemoryMetricExporter) -> Vec<(String, u64)> {
        exporter.reset();
        meters.force_flush().unwrap();
        let exported = exporter.get_finished_metrics().unwrap().pop().unwrap();
        let mut told = Vec::new();
        for metric in exported.scope_metrics().flat_map(|scope| scope.metrics()) {
            let mut tell = |labels: &mut dyn Iterator<Item = &KeyValue>, number| {
                let labels: Vec<_> = labels.map(|label| label.value.to_string()).collect();
                told.push((format!("{} {}", metric.name(), labels.join(" ")), number));
            };
            match metric.data() {
                AggregatedMetrics::I64(MetricData::Sum(data)) => data
                    .data_points()
                    .for_each(|point| tell(&mut point.attributes(), u64::try_from(point.value()).unwrap())),
                AggregatedMetrics::F64(MetricData::Histogram(data)) => {
                    data.data_points().for_each(|point| tell(&mut point.attributes(), point.count()));
                }
                _ => {}
            }
        }
        told.sort();
        told
    }

    #[tokio::test]
    async fn connections_in_use_and_waits_are_told_of_until_there_is_no_pool() {
        let exporter = InMemoryMetricExporter::default();
        let meters = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
        global::set_meter_provider(meters.clone());
        let options = Options { file: None, creates: false, settings: String::new(), connections: 1 };
        let pool = sqlite::Pool::open(options).unwrap().connection().await.unwrap();
        let turns = Turns::new(Pool::Vital, pool, 2);
        let (first, second) = (turns.at_once().unwrap(), turns.take().await.unwrap());
        assert!(turns.at_once().is_none(), "there are two");
        let of_it = |told: Vec<(String, u64)>| told.into_iter().filter(|(name, _)| name.contains("vital")).collect();
        let expected = |used| {
            [("count", "vital used", used), ("max", "vital", 2), ("wait_time", "vital", 2)]
                .map(|(name, labels, number)| (format!("db.client.connection.{name} {labels}"), number))
                .to_vec()
        };
        let now = || -> Vec<_> { of_it(told(&meters, &exporter)) };
        assert_eq!(now(), expected(2));
        drop((first, second));
        assert_eq!(now(), expected(0));
        drop(turns);
        assert_eq!(now(), expected(0)[2..]);
    }
}
