#![allow(clippy::unwrap_used)]

use std::{
    io::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use super::level::Asked;
use super::sampler::Head;
use super::*;

/// Which traces are collected is the process's: one test at a time says.
pub(super) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was logged, readable by the test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Returns what `work` logs under a filter, line by line.
fn logged(filter: &str, pretty: bool, work: impl FnOnce(&Level)) -> Vec<String> {
    let log = Log::default();
    let tracer = Exporters::of(None).tracer(Resource::builder_empty().build());
    let level = Level::new(filter);
    let lines = lines("harbour", pretty, false, &level, log.clone());
    let subscriber = tracing_subscriber::registry().with(traces(&tracer)).with(lines);
    tracing::subscriber::with_default(subscriber, || work(&level));
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn a_line_within_a_span_names_its_trace_and_the_fields_of_the_span() {
    let lines = logged("info", false, |_| {
        let outer = tracing::info_span!("request", order = "o-1", otel.kind = "server");
        outer.in_scope(|| {
            tracing::info!(units = 3, "reserved");
            tracing::info_span!("inner", sku = "A", order = "o-2").in_scope(|| tracing::warn!(ok = false, "short"));
        });
        tracing::info!("outside");
    });
    let [first, second, third] =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>().try_into().unwrap();
    assert_eq!(
        (&first["message"], &first["level"], &first["service"]),
        (&"reserved".into(), &"INFO".into(), &"harbour".into())
    );
    assert_eq!(first["fields"], serde_json::json!({ "order": "o-1", "units": 3 }));
    assert_eq!(second["fields"], serde_json::json!({ "order": "o-2", "sku": "A", "ok": false }));
    assert_eq!(first["trace_id"].as_str().unwrap().len(), 32, "ids exist although nothing is exported");
    assert_eq!(first["trace_id"], second["trace_id"]);
    assert_ne!(first["span_id"], second["span_id"]);
    assert_eq!(third.get("trace_id"), None);
    assert!(lines[0].starts_with(r#"{"timestamp":"2"#), "{}", lines[0]);
}

#[test]
fn a_line_within_a_call_names_its_trace_method_caller_and_user_without_any_span() {
    use opentelemetry::{
        Context,
        trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
    };
    use tradewind_mesh::{Peer, Serving, SpiffeId};

    let id = TraceId::from_bytes([7; 16]);
    let span = SpanContext::new(id, SpanId::from_bytes([1; 8]), TraceFlags::default(), true, TraceState::default());
    let peer = Peer { id: SpiffeId::new("tradewind.test", "gateway").unwrap(), address: ([127, 0, 0, 1], 1).into() };
    let serving = Serving::new("harbour.v1.Harbour/Moor", Arc::new(peer));
    serving.is_for("u-1");
    let call = Context::new().with_value(serving);
    let lines = logged("info", false, |_| {
        let _call = call.with_remote_span_context(span).attach();
        tracing::info_span!(target: SPANS, "part", peer = "quay").in_scope(|| tracing::info!("moored"));
        tracing::info_span!("react", event = "e-1").in_scope(|| tracing::info!("reacted"));
    });
    let [moored, reacted] =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>().try_into().unwrap();
    let call = serde_json::json!({ "rpc.method": "harbour.v1.Harbour/Moor", "tradewind.caller": "gateway", "enduser.id": "u-1" });
    assert_eq!((&moored["fields"], &moored["trace_id"]), (&call, &id.to_string().into()));
    assert_eq!(
        (&reacted["fields"]["event"], &reacted["fields"]["tradewind.caller"]),
        (&"e-1".into(), &"gateway".into())
    );
    assert_eq!(reacted["trace_id"], id.to_string(), "what has a span goes on within the trace");
}

#[test]
fn a_quiet_filter_hides_lines_but_neither_spans_nor_traces() {
    let lines = logged("warn", false, |_| {
        tracing::info_span!("request", order = "o-1").in_scope(|| {
            tracing::info!("hidden");
            tracing::warn!("shown");
        });
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((&line["message"], &line["fields"]["order"]), (&"shown".into(), &"o-1".into()));
    assert!(line["trace_id"].is_string(), "{line}");
}

#[test]
fn libraries_are_quiet_unless_named() {
    let talk = |_: &Level| {
        tracing::info!(target: "h2::codec", "frame");
        tracing::warn!(target: "h2::codec", "odd frame");
    };
    assert_eq!(logged("info", false, talk).len(), 1);
    assert_eq!(logged("h2=info", false, talk).len(), 2);
}

#[test]
fn a_line_for_people_is_one_line() {
    let lines = logged("info", true, |_| {
        tracing::info_span!("request", order = "o-1").in_scope(|| tracing::error!(why = "storm", "lost"));
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("ERROR harbour lost order=o-1 why=storm trace="), "{}", lines[0]);
}

#[test]
fn what_others_wrote_stays_within_its_line() {
    let lines = logged("info", true, |_| tracing::error!(why = "sto\u{1b}[2Jrm\n\u{202e}", "{}", "lo\nst\u{9b}m"));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("lo\\nst\\u{9b}m why=sto\\u{1b}[2Jrm\\n\\u{202e}"), "{}", lines[0]);
}

#[test]
fn metrics_are_scraped_with_bounds_fit_for_seconds() {
    let registry = prometheus::Registry::new();
    let provider = meter(&registry, None, Resource::builder_empty().build());
    let meter = opentelemetry::metrics::MeterProvider::meter(&provider, "tradewind");
    meter.f64_histogram("tradewind_wait").with_unit("s").build().record(0.003, &[]);
    meter.u64_counter("tradewind_calls").build().add(2, &[KeyValue::new("method", "Get")]);
    let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    assert!(text.contains("tradewind_wait_seconds_bucket{le=\"0.005\"} 1"), "{text}");
    assert!(text.contains("tradewind_calls_total{method=\"Get\"} 2"), "{text}");
}

#[test]
fn a_trace_begun_elsewhere_is_continued() {
    use opentelemetry::{
        Context,
        trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
    };
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    let id = TraceId::from_bytes([7; 16]);
    let lines = logged("info", false, |_| {
        let remote =
            SpanContext::new(id, SpanId::from_bytes([1; 8]), TraceFlags::default(), true, TraceState::default());
        let span = tracing::info_span!("request");
        span.set_parent(Context::new().with_remote_span_context(remote)).unwrap();
        span.in_scope(|| tracing::info!("here"));
    });
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(line["trace_id"], id.to_string());
}

#[test]
fn what_is_logged_can_change_while_it_runs() {
    let talk = |level: &Level| {
        let asked = |filter: &str| {
            let until = time::OffsetDateTime::UNIX_EPOCH;
            Asked { filter: filter.to_owned(), until, by: "operator".to_owned() }
        };
        tracing::debug!("hidden");
        level.change(Some(asked("debug")));
        tracing::debug!("shown");
        level.change(Some(asked("error")));
        tracing::warn!("hidden too");
        level.change(None);
        tracing::info!("as before");
        tracing::debug!("and no more");
    };
    let lines = logged("info", false, talk);
    let said: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(said.iter().map(|line| &line["message"]).collect::<Vec<_>>(), ["shown", "as before"]);
}

#[test]
fn what_was_decided_before_a_span_was_made_is_not_decided_again() {
    use opentelemetry::Context;
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
    use tradewind_telemetry::{Kind, Part, collect, collect_nothing, parent};

    let _alone = alone();
    let exporter = InMemorySpanExporter::default();
    let provider =
        SdkTracerProvider::builder().with_sampler(Head::of(0.0)).with_simple_exporter(exporter.clone()).build();
    let subscriber = tracing_subscriber::registry().with(traces(&provider));
    let begin = |text: &str| {
        let facts = || vec![KeyValue::new(names::TIMER, "tide")];
        Part::begin(Kind::Internal, &parent(text), &Context::new(), || "moor".into(), facts)
    };
    tracing::subscriber::with_default(subscriber, || {
        assert!(!begin("").is_collected(), "nobody collects");
        collect(1.0);
        let root = begin("");
        root.fails("storm");
        let within = root.traceparent("");
        drop(begin(&within));
        drop(root);
        let unsampled = begin("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
        assert!(!unsampled.is_collected(), "what nobody collects elsewhere is not collected here");
        assert_eq!(unsampled.ids().trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        collect(0.0);
        assert!(!begin("").is_collected());
        tracing::info_span!("a service's own").in_scope(|| {});
        collect_nothing();
        assert!(!begin(&within).is_collected());
    });
    let spans = exporter.get_finished_spans().unwrap();
    let [child, root] = spans.try_into().unwrap();
    assert_eq!(child.parent_span_id, root.span_context.span_id());
    assert_eq!(child.span_context.trace_id(), root.span_context.trace_id());
    assert_eq!(root.parent_span_id, opentelemetry::trace::SpanId::INVALID);
    assert_eq!(root.name, "moor");
    assert!(root.attributes.contains(&KeyValue::new(names::ERROR_TYPE, "storm")), "{:?}", root.attributes);
    assert!(root.attributes.contains(&KeyValue::new(names::TIMER, "tide")), "{:?}", root.attributes);
}
