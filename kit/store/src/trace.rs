//! W3C trace context as text, and the spans that continue it: what lets a trace run through the database and the broker.

use std::fmt::Write;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tradewind_domain::{Caller, Origin};

/// Makes `span` a child of the span that `traceparent` names; text that is no trace context leaves it a root.
pub fn continue_from(span: &Span, traceparent: &str) {
    if let Some(parent) = parse(traceparent) {
        // It fails only where no exporter is installed, and then there is no trace to continue.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// The trace context of `span` as a `traceparent`; `otherwise` where the span is not traced.
pub fn traceparent(span: &Span, otherwise: &str) -> String {
    named(&span.context(), otherwise)
}

/// The same of what is being done here, which need not have a span to belong to a trace.
pub fn current(otherwise: &str) -> String {
    Context::map_current(|context| named(context, otherwise))
}

/// Who asks for what is being done here, under that id; nobody where no call is served.
pub(crate) fn origin(request_id: &str) -> Origin {
    Context::map_current(|context| context.get::<Caller>().map(|caller| caller.asking(request_id))).unwrap_or_default()
}

fn named(context: &Context, otherwise: &str) -> String {
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() { format(span) } else { otherwise.to_owned() }
}

/// The trace id within a `traceparent`, for logs; empty where there is none.
pub fn trace_id(traceparent: &str) -> &str {
    traceparent.split('-').nth(1).unwrap_or_default()
}

fn format(span: &SpanContext) -> String {
    let mut text = String::with_capacity(55);
    // Writing to a String cannot fail.
    let _ = write!(text, "00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8());
    text
}

fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version.len() != 2 || trace.len() != 32 || span.len() != 16 || flags.len() != 2 {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn text_survives_the_round_trip() {
        assert_eq!(format(&parse(TRACEPARENT).unwrap()), TRACEPARENT);
        assert_eq!(trace_id(TRACEPARENT), "0af7651916cd43dd8448eb211c80319c");
    }

    #[test]
    fn anything_else_is_no_trace_context() {
        for text in ["", "00", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "zz-x-y-z"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
