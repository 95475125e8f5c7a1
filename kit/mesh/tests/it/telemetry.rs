//! What is left of a call in metrics and traces.

use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::echo::{BARE, COUNT, SAY, ask};
use crate::world::{World, counted, eventually, spans};

#[tokio::test]
async fn a_call_is_counted_once_on_each_side_whatever_its_end() {
    let world = World::start().await;
    let count =
        |side: &str| counted(&format!("grpc.{side}.call.duration"), "grpc.method", COUNT.trim_start_matches('/'));
    ask(&world.channel("operator"), COUNT, "hello").await.unwrap();
    ask(&world.channel("stranger"), COUNT, "hello").await.unwrap_err();
    eventually("both sides count both calls", async || count("server") == 2 && count("client") == 2).await;
}

/// What nobody collects costs nothing but its ids.
#[tokio::test]
async fn a_call_of_a_trace_that_is_not_collected_has_no_span_and_the_trace_all_the_same() {
    let world = World::start().await;
    let trace = TraceId::from_bytes([7; 16]);
    let unsampled =
        SpanContext::new(trace, SpanId::from_bytes([7; 8]), TraceFlags::NOT_SAMPLED, true, TraceState::NONE);
    let channel = world.channel("operator");
    let asking = ask(&channel, SAY, "trace");
    let served = asking.with_context(Context::new().with_remote_span_context(unsampled)).await.unwrap();
    assert_eq!(served, format!("{trace} operator tradewind.echo.v1.EchoService/Say"));
    assert!(spans(|span| span.span_context.trace_id() == trace).is_empty());
}

#[tokio::test]
async fn the_servers_span_is_a_child_of_the_clients() {
    let world = World::start().await;
    let root = tracing::info_span!("the root of this test");
    ask(&world.channel("operator"), SAY, "hello").instrument(root.clone()).await.unwrap();
    let trace = root.context().span().span_context().trace_id();
    eventually("both spans are exported in one trace", async || {
        let ours = spans(|span| span.span_context.trace_id() == trace);
        let of = |kind: SpanKind| ours.iter().find(|span| span.span_kind == kind);
        let (Some(client), Some(server)) = (of(SpanKind::Client), of(SpanKind::Server)) else { return false };
        assert_eq!(server.name, "tradewind.echo.v1.EchoService/Say");
        server.parent_span_id == client.span_context.span_id()
    })
    .await;
}

#[tokio::test]
async fn whoever_is_turned_away_is_written_down_with_the_layer_that_did_it() {
    let world = World::start().await;
    ask(&world.channel("stranger"), BARE, "hello").await.unwrap_err();
    let expected = [
        ("caller", "spiffe://tradewind.test/svc/stranger"),
        ("method", "tradewind.echo.v1.EchoService/Bare"),
        ("code", "PERMISSION_DENIED"),
        ("reason", "CALLER_NOT_ALLOWED"),
        ("layer", "server.authorize"),
    ];
    is_written("call refused", &expected).await;
}

/// Waits until a line of the log with this message says all that.
pub(crate) async fn is_written(message: &str, expected: &[(&str, &str)]) {
    eventually("the line is written", async || {
        let spans = spans(|span| span.events.iter().any(|event| event.name == message));
        let mut lines = spans.iter().flat_map(|span| span.events.iter()).filter(|event| event.name == message);
        lines.any(|line| {
            let says = |(name, value): &(&str, &str)| {
                line.attributes.iter().any(|pair| pair.key.as_str() == *name && pair.value.as_str() == *value)
            };
            expected.iter().all(says)
        })
    })
    .await;
}
