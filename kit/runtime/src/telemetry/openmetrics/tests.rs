#![allow(clippy::unwrap_used)]

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::Resource;
use tradewind_telemetry::exemplar;

use super::*;

#[test]
fn a_histogram_has_the_newest_exemplar_of_each_bucket_and_the_rest_is_as_openmetrics_has_it() {
    let _alone = super::super::tests::alone();
    tradewind_telemetry::collect(0.0);
    let registry = prometheus::Registry::new();
    let provider = super::super::meter(&registry, None, Resource::builder_empty().build());
    let meter = provider.meter("tradewind");
    let labels = [KeyValue::new("grpc.method", "a\"b\\c\nd")];
    let histogram = meter.f64_histogram("harbour.wait").with_unit("s").with_description("How \"long\"").build();
    let part = |number: u8, flags| {
        let (trace, span) = (TraceId::from_bytes([number; 16]), SpanId::from_bytes([number; 8]));
        SpanContext::new(trace, span, flags, false, TraceState::NONE)
    };
    for (value, number) in [(0.003, 1), (0.0031, 2), (70.0, 3)] {
        histogram.record(value, &labels);
        exemplar("harbour.wait", &labels, value, &part(number, TraceFlags::SAMPLED));
    }
    histogram.record(0.7, &labels);
    meter.u64_counter("harbour_calls").build().add(2, &[]);
    meter.f64_gauge("harbour_level").build().record(0.5, &[]);

    let text = text(&registry.gather()).unwrap();
    let label = r#"grpc_method="a\"b\\c\nd""#;
    let line =
        |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {text}"));
    let of = |number: u8| {
        format!(
            "{{trace_id=\"{}\",span_id=\"{}\"}}",
            TraceId::from_bytes([number; 16]),
            SpanId::from_bytes([number; 8])
        )
    };
    let second = line(&format!("harbour_wait_seconds_bucket{{{label},le=\"0.005\"}} 2.0 # {} 0.0031 ", of(2)));
    assert!(second.rsplit(' ').next().unwrap().parse::<f64>().unwrap() > 1.0e9, "{second}");
    line(&format!("harbour_wait_seconds_bucket{{{label},le=\"+Inf\"}} 4.0 # {} 70.0 ", of(3)));
    let none = line(&format!("harbour_wait_seconds_bucket{{{label},le=\"1.0\"}} "));
    assert!(none.ends_with(" 3.0"), "{none}");
    line(&format!("harbour_wait_seconds_count{{{label}}} 4.0"));
    line("# HELP harbour_wait_seconds How \\\"long\\\"");
    line("# TYPE harbour_wait_seconds histogram");
    line("# TYPE harbour_calls counter");
    line("harbour_calls_total 2.0");
    line("# TYPE harbour_level gauge");
    line("harbour_level 0.5");
    assert!(text.ends_with("\n# EOF\n"), "{text}");
}

#[test]
fn it_is_for_whoever_asks_for_it() {
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    assert!(is_asked_for(prometheus));
    for other in ["", "*/*", "text/plain;version=0.0.4", "application/json"] {
        assert!(!is_asked_for(other), "{other}");
    }
}
