//! What leaves the process by itself: spans, metrics and logs over OTLP, to one collector.

use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::facts::Facts;
use super::sampler::Head;
use crate::settings::Signals;

/// What is exported where.
#[derive(Clone, Copy)]
pub(super) struct Collector<'a> {
    pub(super) endpoint: &'a str,
    pub(super) signals: Signals,
    /// Of the traces that begin here, this share.
    pub(super) ratio: f64,
}

/// Exporters that are there; what cannot be exported, and why, beside them.
#[derive(Default)]
pub(super) struct Exporters {
    spans: Option<SpanExporter>,
    metrics: Option<MetricExporter>,
    logs: Option<LogExporter>,
    ratio: f64,
    pub(super) failed: Vec<(&'static str, String)>,
}

impl Exporters {
    pub(super) fn of(collector: Option<Collector<'_>>) -> Self {
        let Some(Collector { endpoint, signals, ratio }) = collector else { return Self::default() };
        let mut failed = Vec::new();
        let spans = signals.traces.then(|| SpanExporter::builder().with_tonic().with_endpoint(endpoint).build());
        let metrics = signals.metrics.then(|| MetricExporter::builder().with_tonic().with_endpoint(endpoint).build());
        let logs = signals.logs.then(|| LogExporter::builder().with_tonic().with_endpoint(endpoint).build());
        Self {
            spans: built("traces", spans, &mut failed),
            metrics: built("metrics", metrics, &mut failed),
            logs: built("logs", logs, &mut failed),
            ratio,
            failed,
        }
    }

    /// Whether spans leave the process.
    pub(super) fn collects(&self) -> bool {
        self.spans.is_some()
    }

    /// Spans that nobody collects have ids, but record nothing.
    pub(super) fn tracer(&mut self, resource: Resource) -> SdkTracerProvider {
        let builder = SdkTracerProvider::builder().with_resource(resource);
        match self.spans.take() {
            Some(spans) => builder.with_sampler(Head::of(self.ratio)).with_batch_exporter(spans).build(),
            None => builder.with_sampler(Head::nothing()).build(),
        }
    }

    pub(super) fn reader(&mut self) -> Option<PeriodicReader<MetricExporter>> {
        self.metrics.take().map(|metrics| PeriodicReader::builder(metrics).build())
    }

    pub(super) fn logger(&mut self, resource: Resource) -> Option<SdkLoggerProvider> {
        let logs = self.logs.take()?;
        let builder = SdkLoggerProvider::builder().with_resource(resource);
        Some(builder.with_log_processor(Facts).with_batch_exporter(logs).build())
    }
}

fn built<E>(
    what: &'static str,
    exporter: Option<Result<E, ExporterBuildError>>,
    failed: &mut Vec<(&'static str, String)>,
) -> Option<E> {
    exporter.transpose().unwrap_or_else(|error| {
        failed.push((what, error.to_string()));
        None
    })
}
