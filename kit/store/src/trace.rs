//! What a transaction is a part of: the trace in which it happens, and whoever has asked for it.

use opentelemetry::Context;
use tradewind_domain::{Caller, Origin};
use tradewind_telemetry::{current, format};

/// The part of a trace that is being done here, as a `traceparent`; `otherwise` where there is none.
pub(crate) fn traceparent(otherwise: &str) -> String {
    let part = current();
    if part.is_valid() { format(&part) } else { otherwise.to_owned() }
}

/// Who asks for what is being done here, under that id; nobody where no call is served.
pub(crate) fn origin(request_id: &str) -> Origin {
    Context::map_current(|context| context.get::<Caller>().map(|caller| caller.asking(request_id))).unwrap_or_default()
}
