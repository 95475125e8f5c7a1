//! A certificate authority in a temporary folder, a running echo server, and what was measured.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tracing_subscriber::layer::SubscriberExt;
use tradewind_mesh::{Channel, Channels, Faults, Identity, IdentityFiles, Loads, Policy, Result, Server, pki};

use crate::contract::CONTRACT;
use crate::echo::Echo;

pub(crate) const DOMAIN: &str = "tradewind.test";
pub(crate) const NAMES: [&str; 6] = ["echo", "gateway", "console", "operator", "reader", "stranger"];

pub(crate) fn policy() -> Policy {
    Policy::new(&CONTRACT)
}

/// A running echo server and the credentials of everybody around it.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    /// The server's.
    pub(crate) identity: Identity,
    pub(crate) address: SocketAddr,
    pub(crate) echo: Echo,
    pub(crate) loads: Loads,
    /// Put into the calls it serves.
    pub(crate) faults: Faults,
    pub(crate) stop: CancellationToken,
    pub(crate) served: JoinHandle<Result<()>>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with_grace(Duration::from_secs(10)).await
    }

    pub(crate) async fn start_with_grace(grace: Duration) -> Self {
        Self::start_as(|server| server, grace).await
    }

    /// One whose server is not as usual.
    pub(crate) async fn start_as(make: impl FnOnce(Server) -> Server, grace: Duration) -> Self {
        Self::made(credentials(), make, grace).await
    }

    /// With credentials that are there.
    pub(crate) async fn start_in(dir: TempDir, grace: Duration) -> Self {
        Self::made(dir, |server| server, grace).await
    }

    async fn made(dir: TempDir, make: impl FnOnce(Server) -> Server, grace: Duration) -> Self {
        let echo = Echo::default();
        let stop = CancellationToken::new();
        let identity = Identity::load(IdentityFiles::in_dir(dir.path(), "echo")).unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(any, identity.clone(), policy(), "echo").await.unwrap();
        let faults = Faults::default();
        let server = make(server).with_faults(faults.clone());
        let (address, loads) = (server.local_addr(), server.loads());
        let (_, health) = tonic_health::server::health_reporter();
        let routes = Routes::new(echo.clone()).add_service(health);
        let served = tokio::spawn(server.serve(routes, stop.clone(), grace));
        Self { dir, identity, address, echo, loads, faults, stop, served }
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        Identity::load(IdentityFiles::in_dir(self.dir.path(), name)).unwrap()
    }

    /// A channel of workload `name` to the server.
    pub(crate) fn channel(&self, name: &str) -> Channel {
        channel(self.identity(name), "echo", self.address)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) fn channel(identity: Identity, service: &str, address: SocketAddr) -> Channel {
    let peers = BTreeMap::from([(service.to_owned(), address.to_string())]);
    Channels::new(identity, policy(), peers).to(service).unwrap()
}

pub(crate) fn credentials() -> TempDir {
    // Instruments that are made before it would tell nobody.
    telemetry();
    let dir = tempfile::tempdir().unwrap();
    pki::init(dir.path(), &NAMES, DOMAIN).unwrap();
    dir
}

/// Waits until `condition` holds.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) struct Telemetry {
    meters: SdkMeterProvider,
    metrics: InMemoryMetricExporter,
    spans: Recent,
}

pub(crate) fn telemetry() -> &'static Telemetry {
    static TELEMETRY: OnceLock<Telemetry> = OnceLock::new();
    TELEMETRY.get_or_init(|| {
        let metrics = InMemoryMetricExporter::default();
        let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
        opentelemetry::global::set_meter_provider(meters.clone());
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        let spans = Recent::default();
        let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(tracers.tracer("test"));
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
        tradewind_telemetry::collect(1.0);
        Telemetry { meters, metrics, spans }
    })
}

/// The present value of a counter, or the count of a histogram, for one value of one label, summed over the other labels.
pub(crate) fn counted(name: &str, label: &str, value: &str) -> u64 {
    counted_of(name, &[(label, value)])
}

/// The same for one value of each of several labels.
pub(crate) fn counted_of(name: &str, labels: &[(&str, &str)]) -> u64 {
    let telemetry = telemetry();
    // Tests run at once: each looks at what was exported for it alone.
    static LOOKING: Mutex<()> = Mutex::new(());
    let looking = LOOKING.lock().unwrap_or_else(PoisonError::into_inner);
    telemetry.metrics.reset();
    telemetry.meters.force_flush().unwrap();
    let exported = telemetry.metrics.get_finished_metrics().unwrap().pop();
    drop(looking);
    let Some(exported) = exported else { return 0 };
    let metrics = exported.scope_metrics().flat_map(|scope| scope.metrics()).filter(|metric| metric.name() == name);
    let is_of = |attributes: &mut dyn Iterator<Item = &KeyValue>| {
        let pairs: Vec<_> = attributes.map(|pair| (pair.key.as_str(), pair.value.to_string())).collect();
        labels.iter().all(|(label, value)| pairs.iter().any(|(key, found)| key == label && found == value))
    };
    let counted = metrics.map(|metric| match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(data)) => {
            let ours = data.data_points().filter(|point| is_of(&mut point.attributes()));
            ours.map(|point| point.value()).sum()
        }
        AggregatedMetrics::F64(MetricData::Histogram(data)) => {
            let ours = data.data_points().filter(|point| is_of(&mut point.attributes()));
            ours.map(|point| point.count()).sum()
        }
        _ => 0,
    });
    counted.sum()
}

/// Spans that have ended, and look like this.
pub(crate) fn spans(wanted: impl Fn(&SpanData) -> bool) -> Vec<SpanData> {
    telemetry().spans.all().iter().filter(|span| wanted(span)).cloned().collect()
}

/// The spans that ended last. All tests share them, and whoever looks holds up every call that ends: they are few, and only those
/// are copied that somebody wants.
#[derive(Clone, Debug, Default)]
struct Recent(Arc<Mutex<VecDeque<SpanData>>>);

impl Recent {
    const MOST: usize = 20_000;

    fn all(&self) -> MutexGuard<'_, VecDeque<SpanData>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpanExporter for Recent {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut all = self.all();
        all.extend(batch);
        let many = all.len().saturating_sub(Self::MOST);
        all.drain(..many);
        Ok(())
    }
}
