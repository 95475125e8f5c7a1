//! Who asks for what a transaction does.

use opentelemetry::Context;
use tradewind_domain::{Caller, Origin};

/// Who asks for what is being done here, under that id; nobody where no call is served.
pub(crate) fn origin(request_id: &str) -> Origin {
    Context::map_current(|context| context.get::<Caller>().map(|caller| caller.asking(request_id))).unwrap_or_default()
}
