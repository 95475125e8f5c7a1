//! Logs, traces and metrics of the process: installed once, shared by every service that runs in it.
//!
//! Everything else speaks `tracing` and `opentelemetry::global`; subscribers, exporters and registries must not be known outside here.

mod lines;
mod trace;

use std::{
    io::{IsTerminal, stderr},
    sync::OnceLock,
    time::Duration,
};

use opentelemetry::{KeyValue, global, trace::TracerProvider};
use opentelemetry_sdk::{
    Resource,
    metrics::{Aggregation, Instrument, InstrumentKind, SdkMeterProvider, Stream},
    propagation::TraceContextPropagator,
    trace::SdkTracerProvider,
};
use tracing::{Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, Targets, filter_fn},
    fmt::{MakeWriter, format::JsonFields},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use self::lines::Lines;
use crate::settings::{LogFormat, Settings};

/// Chatty libraries: only their warnings are logged unless `LOG` names them, and they never appear in traces.
const QUIET: [&str; 12] = [
    "async_nats",
    "axum",
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "rustls",
    "sea_orm",
    "sea_orm_migration",
    "sqlx",
    "tonic",
    "tower",
];

/// Histogram bounds in seconds: from a local commit to a stuck call.
const SECONDS: [f64; 15] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

static INSTALLED: OnceLock<Telemetry> = OnceLock::new();

/// What was installed, kept for scraping and for the last flush.
pub(crate) struct Telemetry {
    tracer: SdkTracerProvider,
    meter: SdkMeterProvider,
    registry: prometheus::Registry,
}

/// Installs logs, traces and metrics the first time it is called in a process; later calls only add the service to `tradewind_build_info`.
pub(crate) fn install(service: &'static str, settings: &Settings) -> &'static Telemetry {
    let installed = INSTALLED.get_or_init(|| {
        let resource = Resource::builder()
            .with_service_name(service)
            .with_attribute(KeyValue::new("service.version", crate::VERSION))
            .build();
        let registry = prometheus::Registry::new();
        let meter = meter(&registry, resource.clone());
        let (tracer, exporting) = trace::provider(settings.otlp_endpoint.as_deref(), settings.trace_ratio, resource);
        global::set_meter_provider(meter.clone());
        global::set_tracer_provider(tracer.clone());
        global::set_text_map_propagator(TraceContextPropagator::new());
        subscribe(service, settings, &tracer, settings.otlp_endpoint.is_some() && exporting.is_ok());
        if let Err(problem) = exporting {
            tracing::warn!(%problem, "traces are not exported");
        }
        Telemetry { tracer, meter, registry }
    });
    build_info(service);
    installed
}

fn subscribe(service: &'static str, settings: &Settings, tracer: &SdkTracerProvider, exports: bool) {
    let terminal = stderr().is_terminal();
    let pretty = match settings.log_format {
        LogFormat::Json => false,
        LogFormat::Pretty => true,
        LogFormat::Auto => terminal,
    };
    let lines = lines(service, pretty, pretty && terminal, &settings.log, stderr);
    // Fails where a test has installed its own subscriber: that one then stays.
    drop(tracing_subscriber::registry().with(traces(tracer, exports)).with(lines).try_init());
    // A library that asks the `log` crate whether a record is wanted, and then writes none, leaves the layers' filters with that
    // answer, and the thread's next event is lost: sqlx does so for every notice of PostgreSQL. Below warnings nobody is told yes.
    log::set_max_level(log::LevelFilter::Warn);
}

/// Spans of calls are of use to whoever collects them alone: their ids, and what a line says of a call, need none.
fn traces<S: Subscriber + for<'a> LookupSpan<'a>>(tracer: &SdkTracerProvider, exports: bool) -> impl Layer<S> {
    let calls = if exports { LevelFilter::INFO } else { LevelFilter::OFF };
    let all = Targets::new().with_default(LevelFilter::INFO).with_target(tradewind_mesh::CALLS, calls);
    let own = QUIET.iter().fold(all, |targets, library| targets.with_target(*library, LevelFilter::OFF));
    tracing_opentelemetry::layer()
        .with_tracer(tracer.tracer("tradewind"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_filter(own)
}

fn lines<S, W>(service: &'static str, pretty: bool, colours: bool, filter: &str, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .with_ansi(colours)
        .event_format(Lines::new(service, pretty))
        .log_internal_errors(false)
        .with_writer(writer)
        // Spans are kept whatever the level, so that their fields are on every line within them.
        .with_filter(log_filter(filter).or(filter_fn(own_span)).and(filter_fn(not_of_a_call)))
}

fn log_filter(log: &str) -> EnvFilter {
    let quiet = QUIET.map(|library| format!("{library}=warn")).join(",");
    EnvFilter::new(format!("info,{quiet},{log}"))
}

fn not_of_a_call(metadata: &Metadata<'_>) -> bool {
    metadata.target() != tradewind_mesh::CALLS
}

fn own_span(metadata: &Metadata<'_>) -> bool {
    let library = metadata.target().split("::").next().unwrap_or_default();
    metadata.is_span() && *metadata.level() <= LevelFilter::INFO && !QUIET.contains(&library)
}

fn meter(registry: &prometheus::Registry, resource: Resource) -> SdkMeterProvider {
    let builder = SdkMeterProvider::builder().with_resource(resource).with_view(seconds);
    match opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false).build() {
        Ok(reader) => builder.with_reader(reader).build(),
        // Only a registry that already has a collector of that name refuses one, and this registry is new.
        Err(_) => builder.build(),
    }
}

fn seconds(instrument: &Instrument) -> Option<Stream> {
    // gRPC says what the bounds of its own are.
    let is_grpc = instrument.name().starts_with("grpc.");
    if instrument.kind() != InstrumentKind::Histogram || instrument.unit() != "s" || is_grpc {
        return None;
    }
    let aggregation = Aggregation::ExplicitBucketHistogram { boundaries: SECONDS.to_vec(), record_min_max: false };
    Stream::builder().with_aggregation(aggregation).build().ok()
}

fn build_info(service: &'static str) {
    let gauge = global::meter("tradewind")
        .u64_gauge("tradewind_build_info")
        .with_description("Always 1; the labels say what is running.")
        .build();
    gauge.record(1, &[KeyValue::new("service", service), KeyValue::new("version", crate::VERSION)]);
}

impl Telemetry {
    /// Returns every metric of the process in Prometheus' text format.
    pub(crate) fn metrics(&self) -> Result<String, prometheus::Error> {
        prometheus::TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    /// Exports what is still buffered, within the given time.
    pub(crate) async fn flush(&'static self, within: Duration) {
        let flush = tokio::task::spawn_blocking(move || {
            // A collector that is away is no reason to fail a shutdown.
            drop(self.tracer.shutdown_with_timeout(within));
            drop(self.meter.shutdown_with_timeout(within));
        });
        drop(tokio::time::timeout(within, flush).await);
    }
}

/// Makes panics log lines.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("panicked with something that is no text");
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic = message, location, "a task panicked");
    }));
}

#[cfg(test)]
mod tests;
