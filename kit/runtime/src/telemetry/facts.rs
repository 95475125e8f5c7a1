//! What is being done while a line is logged: the same for lines that are printed and for those that are exported.

use opentelemetry::logs::{AnyValue, LogRecord as _};
use opentelemetry::{Context, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};
use tradewind_mesh::Serving;
use tradewind_telemetry::{Doing, names};

/// The facts that stand in the context in which a line is logged.
pub(super) fn of(context: &Context) -> Vec<KeyValue> {
    let mut facts = Vec::new();
    if let Some(call) = context.get::<Serving>() {
        facts.push(KeyValue::new(names::RPC_METHOD, call.method));
        facts.push(KeyValue::new(names::CALLER, call.caller.id.name().to_owned()));
        facts.extend(call.user().map(|user| KeyValue::new(names::ENDUSER_ID, user.to_owned())));
    }
    if let Some(doing) = context.get::<Doing>() {
        facts.extend_from_slice(doing.facts());
    }
    facts
}

/// Puts them into every line that is exported.
#[derive(Debug)]
pub(super) struct Facts;

impl LogProcessor for Facts {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        for KeyValue { key, value, .. } in Context::map_current(of) {
            record.add_attribute(key, any(value));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

fn any(value: Value) -> AnyValue {
    match value {
        Value::Bool(value) => AnyValue::Boolean(value),
        Value::I64(value) => AnyValue::Int(value),
        Value::F64(value) => AnyValue::Double(value),
        Value::String(value) => AnyValue::String(value),
        other => AnyValue::String(other.to_string().into()),
    }
}
