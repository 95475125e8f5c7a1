//! The tracer: exports over OTLP where an endpoint is set, and gives ids in any case.

use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};

/// Builds the tracer provider; beside it, why traces can't be exported although they should be.
pub(super) fn provider(
    endpoint: Option<&str>,
    ratio: f64,
    resource: Resource,
) -> (SdkTracerProvider, Result<(), String>) {
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let exporter = endpoint.map(|endpoint| SpanExporter::builder().with_tonic().with_endpoint(endpoint).build());
    match exporter {
        Some(Ok(exporter)) => {
            let root = Sampler::TraceIdRatioBased(ratio);
            (builder.with_sampler(parent_based(root)).with_batch_exporter(exporter).build(), Ok(()))
        }
        // Spans that nobody collects still have ids, but record nothing.
        None => (builder.with_sampler(parent_based(Sampler::AlwaysOff)).build(), Ok(())),
        Some(Err(error)) => (builder.with_sampler(parent_based(Sampler::AlwaysOff)).build(), Err(error.to_string())),
    }
}

fn parent_based(root: Sampler) -> Sampler {
    Sampler::ParentBased(Box::new(root))
}
