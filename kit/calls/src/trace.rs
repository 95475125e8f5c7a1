//! The call that is served, and its trace in the headers of calls.

use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, TraceState};
use tradewind_telemetry::{format, parse};

use crate::Peer;

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// The call that a task serves, for lines of the log. It stands in the [`Context`](opentelemetry::Context) of whatever is done for the call.
#[derive(Clone, Debug)]
pub struct Serving {
    /// `package.Service/Method`.
    pub method: &'static str,
    /// Who calls.
    pub caller: Arc<Peer>,
    /// For whom, by their id; said when it is known.
    user: OnceLock<Box<str>>,
}

impl Serving {
    /// A call of which more is not known yet.
    #[must_use]
    pub const fn new(method: &'static str, caller: Arc<Peer>) -> Self {
        Self { method, caller, user: OnceLock::new() }
    }

    /// Says for whom it is, once.
    pub fn is_for(&self, user: &str) {
        let _ = self.user.set(user.into());
    }

    /// The id of the one whom the call is for.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.get().map(AsRef::as_ref)
    }
}

/// The trace that the caller of a served call names, if it names one.
pub fn of_caller(headers: &HeaderMap) -> Option<SpanContext> {
    let parent = parse(headers.get(PARENT)?.as_bytes())?;
    let state = headers.get(STATE).and_then(|state| TraceState::from_str(state.to_str().ok()?).ok());
    let Some(state) = state else { return Some(parent) };
    Some(SpanContext::new(parent.trace_id(), parent.span_id(), parent.trace_flags(), true, state))
}

/// Tells whoever is called that `span` calls.
pub fn announce(headers: &mut HeaderMap, span: &SpanContext) {
    if !span.is_valid() {
        return;
    }
    if let Ok(value) = HeaderValue::try_from(format(span)) {
        headers.insert(PARENT, value);
    }
    let state = span.trace_state();
    if *state != TraceState::NONE
        && let Ok(value) = HeaderValue::try_from(state.header())
    {
        headers.insert(STATE, value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_caller_names_goes_on_to_whoever_is_called() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let mut asked = HeaderMap::from_iter([(PARENT, text.parse().unwrap())]);
        asked.insert(STATE, HeaderValue::from_static("vendor=1"));
        let mut sent = HeaderMap::new();
        announce(&mut sent, &of_caller(&asked).unwrap());
        assert_eq!(sent, asked);
    }
}
