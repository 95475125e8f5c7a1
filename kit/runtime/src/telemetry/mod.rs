//! Logs, traces and metrics of the process: installed once, shared by every service that runs in it.
//!
//! Everything else speaks `tracing` and `opentelemetry::global`; subscribers, exporters and registries must not be known outside here.

mod export;
mod facts;
pub(crate) mod level;
mod lines;
pub(crate) mod openmetrics;
mod process;
mod sampler;

use std::{
    io::{IsTerminal, stderr},
    sync::OnceLock,
    time::Duration,
};

use opentelemetry::{KeyValue, global, trace::TracerProvider};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::{
    Resource,
    logs::SdkLoggerProvider,
    metrics::{Aggregation, Instrument, InstrumentKind, PeriodicReader, SdkMeterProvider, Stream},
    propagation::TraceContextPropagator,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::SdkTracerProvider,
};
use tracing::{Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, Targets, filter_fn},
    fmt::{MakeWriter, format::JsonFields},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use tradewind_telemetry::{SPANS, names};
use uuid::Uuid;

use self::{
    export::{Collector, Exporters},
    level::Level,
    lines::Lines,
};
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
    logger: Option<SdkLoggerProvider>,
    registry: prometheus::Registry,
    /// Which lines are logged.
    pub(crate) level: Level,
}

/// Installs logs, traces and metrics the first time it is called in a process; later calls only add the service to `tradewind_build_info`.
pub(crate) fn install(service: &'static str, settings: &Settings) -> &'static Telemetry {
    let installed = INSTALLED.get_or_init(|| {
        let resource = resource(service, &settings.instance);
        let endpoint = settings.otlp_endpoint.as_deref();
        let (signals, ratio) = (settings.otlp_signals, settings.trace_ratio);
        let mut exporters = Exporters::of(endpoint.map(|endpoint| Collector { endpoint, signals, ratio }));
        if exporters.collects() {
            tradewind_telemetry::collect(ratio);
        }
        let registry = prometheus::Registry::new();
        let meter = meter(&registry, exporters.reader(), resource.clone());
        let (tracer, logger) = (exporters.tracer(resource.clone()), exporters.logger(resource));
        global::set_meter_provider(meter.clone());
        process::watch();
        global::set_tracer_provider(tracer.clone());
        global::set_text_map_propagator(TraceContextPropagator::new());
        let level = Level::new(&settings.log);
        subscribe(service, settings.log_format, &level, &tracer, logger.as_ref());
        for (what, problem) in exporters.failed {
            tracing::warn!(problem, "{what} are not exported");
        }
        Telemetry { tracer, meter, logger, registry, level }
    });
    build_info(service);
    installed
}

/// What the process is to whoever collects from many; `OTEL_RESOURCE_ATTRIBUTES` says more, and is believed.
fn resource(service: &'static str, instance: &str) -> Resource {
    let instance = if instance.is_empty() { Uuid::new_v4().to_string() } else { instance.to_owned() };
    let attributes = [
        KeyValue::new(names::SERVICE_NAME, service),
        KeyValue::new(names::SERVICE_NAMESPACE, "tradewind"),
        KeyValue::new(names::SERVICE_VERSION, crate::VERSION),
        KeyValue::new(names::SERVICE_INSTANCE_ID, instance),
    ];
    Resource::builder_empty()
        .with_schema_url(attributes, names::SCHEMA)
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())])
        .build()
}

fn subscribe(
    service: &'static str,
    format: LogFormat,
    level: &Level,
    tracer: &SdkTracerProvider,
    logger: Option<&SdkLoggerProvider>,
) {
    let terminal = stderr().is_terminal();
    let pretty = match format {
        LogFormat::Json => false,
        LogFormat::Pretty => true,
        LogFormat::Auto => terminal,
    };
    let lines = lines(service, pretty, pretty && terminal, level, stderr);
    let exported = logger.map(|logger| OpenTelemetryTracingBridge::new(logger).with_filter(level.filter()));
    // Fails where a test has installed its own subscriber: that one then stays.
    drop(tracing_subscriber::registry().with(traces(tracer)).with(lines).with(exported).try_init());
    // A library that asks the `log` crate whether a record is wanted, and then writes none, leaves the layers' filters with that
    // answer, and the thread's next event is lost: sqlx does so for every notice of PostgreSQL. Below warnings nobody is told yes.
    log::set_max_level(log::LevelFilter::Warn);
}

/// The kit's own parts of traces are spans where somebody collects them; a service's are so in any case, for their ids.
fn traces<S: Subscriber + for<'a> LookupSpan<'a>>(tracer: &SdkTracerProvider) -> impl Layer<S> {
    let all = Targets::new().with_default(LevelFilter::INFO);
    let own = QUIET.iter().fold(all, |targets, library| targets.with_target(*library, LevelFilter::OFF));
    tracing_opentelemetry::layer()
        .with_tracer(tracer.tracer("tradewind"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_filter(own)
}

fn lines<S, W>(service: &'static str, pretty: bool, colours: bool, level: &Level, writer: W) -> impl Layer<S>
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
        .with_filter(level.filter().or(filter_fn(own_span)).and(filter_fn(not_of_a_part)))
}

fn not_of_a_part(metadata: &Metadata<'_>) -> bool {
    metadata.target() != SPANS
}

fn own_span(metadata: &Metadata<'_>) -> bool {
    let library = metadata.target().split("::").next().unwrap_or_default();
    metadata.is_span() && *metadata.level() <= LevelFilter::INFO && !QUIET.contains(&library)
}

fn meter(
    registry: &prometheus::Registry,
    exported: Option<PeriodicReader<MetricExporter>>,
    resource: Resource,
) -> SdkMeterProvider {
    let builder = SdkMeterProvider::builder().with_resource(resource).with_view(seconds);
    let builder = match exported {
        Some(reader) => builder.with_reader(reader),
        None => builder,
    };
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
    /// Returns every metric of the process in Prometheus' text format, or in OpenMetrics', which has exemplars.
    pub(crate) fn metrics(&self, with_exemplars: bool) -> anyhow::Result<String> {
        let families = self.registry.gather();
        if with_exemplars {
            return Ok(openmetrics::text(&families)?);
        }
        Ok(prometheus::TextEncoder::new().encode_to_string(&families)?)
    }

    /// Exports what is still buffered, within the given time.
    pub(crate) async fn flush(&'static self, within: Duration) {
        let flush = tokio::task::spawn_blocking(move || {
            // A collector that is away is no reason to fail a shutdown.
            drop(self.tracer.shutdown_with_timeout(within));
            drop(self.meter.shutdown_with_timeout(within));
            drop(self.logger.as_ref().map(|logger| logger.shutdown_with_timeout(within)));
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
