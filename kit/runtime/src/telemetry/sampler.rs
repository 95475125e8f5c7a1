//! Which spans are collected: those of a trace that is, and of the traces that begin here a share. What the kit's own parts begin was
//! decided before their span was made.

use opentelemetry::trace::{Link, SpanKind, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingResult, ShouldSample};
use tradewind_telemetry::is_decided;

#[derive(Clone, Debug)]
pub(super) struct Head {
    others: Sampler,
}

impl Head {
    /// Collects the share of the traces that begin here, 0 to 1.
    pub(super) fn of(share: f64) -> Self {
        Self { others: Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share))) }
    }

    /// Collects none of them: spans have ids all the same.
    pub(super) fn nothing() -> Self {
        Self { others: Sampler::ParentBased(Box::new(Sampler::AlwaysOff)) }
    }
}

impl ShouldSample for Head {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let decided = parent.is_some_and(is_decided);
        let sampler = if decided { &Sampler::AlwaysOn } else { &self.others };
        sampler.should_sample(parent, trace, name, kind, attributes, links)
    }
}
