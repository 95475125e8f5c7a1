//! How a log line looks: one JSON object, or one line for people. Both carry the trace they belong to.

use std::fmt::{self, Write};

use opentelemetry::{
    Context, KeyValue, Value as Fact,
    trace::{SpanContext, TraceContextExt},
};
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormattedFields,
        format::{JsonFields, Writer},
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};
use tradewind_domain::printable;

use super::facts;

/// Formats events; the fields of the spans around an event are on its line, the innermost winning.
pub(super) struct Lines {
    service: &'static str,
    pretty: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: &'a str,
    level: &'a str,
    service: &'a str,
    target: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

impl Lines {
    pub(super) fn new(service: &'static str, pretty: bool) -> Self {
        Self { service, pretty }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, JsonFields> for Lines {
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = span_fields(ctx, event);
        let mut said = Said { message: String::new(), target: None, fields: &mut fields };
        event.record(&mut said);
        let Said { message, target, .. } = said;
        let mut timestamp = String::with_capacity(27);
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let span = Context::map_current(|context| {
            for KeyValue { key, value, .. } in facts::of(context) {
                fields.entry(key.as_str()).or_insert_with(|| json(&value));
            }
            context.span().span_context().clone()
        });
        let line = Line {
            timestamp: &timestamp,
            level: event.metadata().level().as_str(),
            service: self.service,
            target: target.as_deref().unwrap_or(event.metadata().target()),
            message: &message,
            trace_id: span.is_valid().then(|| span.trace_id().to_string()),
            span_id: span.is_valid().then(|| span.span_id().to_string()),
            fields,
        };
        if self.pretty {
            return pretty(&mut writer, &line, &span, *event.metadata().level());
        }
        writeln!(writer, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

fn span_fields<S: Subscriber + for<'a> LookupSpan<'a>>(
    ctx: &FmtContext<'_, S, JsonFields>,
    event: &Event<'_>,
) -> Map<String, Value> {
    let mut fields = Map::new();
    let current = match event.parent() {
        Some(parent) => ctx.span(parent),
        None => ctx.lookup_current(),
    };
    for span in current.into_iter().flat_map(|span| span.scope().from_root()) {
        let extensions = span.extensions();
        let Some(text) = extensions.get::<FormattedFields<JsonFields>>().filter(|text| !text.is_empty()) else {
            continue;
        };
        if let Ok(Value::Object(span)) = serde_json::from_str(text) {
            // Instructions to the tracing layer, not facts about the span.
            fields.extend(span.into_iter().filter(|(name, _)| !name.starts_with("otel.")));
        }
    }
    fields
}

fn json(fact: &Fact) -> Value {
    match fact {
        Fact::Bool(fact) => (*fact).into(),
        Fact::I64(fact) => (*fact).into(),
        Fact::F64(fact) => (*fact).into(),
        other => other.to_string().into(),
    }
}

fn pretty(writer: &mut Writer<'_>, line: &Line<'_>, span: &SpanContext, level: Level) -> fmt::Result {
    let (dim, colour, end) = match (writer.has_ansi_escapes(), level) {
        (false, _) => ("", "", ""),
        (true, Level::ERROR) => ("\x1b[2m", "\x1b[31m", "\x1b[0m"),
        (true, Level::WARN) => ("\x1b[2m", "\x1b[33m", "\x1b[0m"),
        (true, Level::INFO) => ("\x1b[2m", "\x1b[32m", "\x1b[0m"),
        (true, _) => ("\x1b[2m", "\x1b[34m", "\x1b[0m"),
    };
    let clock = line.timestamp.get(11..23).unwrap_or(line.timestamp);
    write!(writer, "{dim}{clock}{end} {colour}{:>5}{end} {} {}", line.level, line.service, printable(line.message))?;
    for (name, value) in &line.fields {
        match value {
            Value::String(text) => write!(writer, " {dim}{name}={end}{}", printable(text))?,
            other => write!(writer, " {dim}{name}={end}{other}")?,
        }
    }
    if span.is_valid() {
        write!(writer, " {dim}trace={}{end}", span.trace_id())?;
    }
    writeln!(writer)
}

/// Collects what an event itself says.
struct Said<'a> {
    message: String,
    /// Where a record of the `log` crate came from.
    target: Option<String>,
    fields: &'a mut Map<String, Value>,
}

impl Said<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            ("log.target", Value::String(text)) => self.target = Some(text),
            (name, _) if name.starts_with("log.") => {}
            (name, value) => drop(self.fields.insert(name.trim_start_matches("r#").to_owned(), value)),
        }
    }
}

impl Visit for Said<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, value.to_string().into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Writing to a string fails only where the value's own formatting does; what it wrote until then is kept.
        let _ = write!(text, "{value:?}");
        self.put(field, text.into());
    }
}
