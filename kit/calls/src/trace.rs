//! Which trace a call belongs to. One that somebody collects has spans; of any other call there are only the ids, which go on to
//! whoever is called and stand in lines of the log: those cost next to nothing, and spans of which nobody hears cost as much as
//! the rest of a call.

use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use crate::Peer;

/// The target of the spans of calls, which is off where nobody collects any.
pub const CALLS: &str = "tradewind::calls";

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// The call that a task serves, for lines of the log. It stands in the [`Context`] of whatever is done for the call.
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
    let text = headers.get(PARENT)?.as_bytes();
    // Version, trace, span and flags, in hexadecimal; a later version may append to them.
    let whole = text.len() == 55 || (text.len() > 55 && text[55] == b'-' && !text.starts_with(b"00"));
    if !whole || text.starts_with(b"ff") || [2, 35, 52].iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let digits = |from: usize, to: usize| std::str::from_utf8(&text[from..to]).ok();
    let number = |from, to| digits(from, to).filter(|text| text.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let flags = u8::from_str_radix(number(53, 55)?, 16).ok()?;
    let state = headers.get(STATE).and_then(|state| TraceState::from_str(state.to_str().ok()?).ok());
    let context = SpanContext::new(
        TraceId::from_hex(number(3, 35)?).ok()?,
        SpanId::from_hex(number(36, 52)?).ok()?,
        TraceFlags::new(flags),
        true,
        state.unwrap_or_default(),
    );
    context.is_valid().then_some(context)
}

/// The span that what is done here belongs to; not valid where there is none.
pub fn current() -> SpanContext {
    Context::map_current(|context| context.span().span_context().clone())
}

/// A span of which there are only the ids, within `parent`'s trace if that is one. Whether others collect theirs stays as it is.
pub fn unrecorded(parent: &SpanContext) -> SpanContext {
    let trace =
        if parent.is_valid() { parent.trace_id() } else { TraceId::from_bytes(fastrand::u128(1..).to_be_bytes()) };
    let span = SpanId::from_bytes(fastrand::u64(1..).to_be_bytes());
    SpanContext::new(trace, span, parent.trace_flags(), false, parent.trace_state().clone())
}

/// Tells whoever is called that `span` calls.
pub fn announce(headers: &mut HeaderMap, span: &SpanContext) {
    if !span.is_valid() {
        return;
    }
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    write(&mut text[3..35], &span.trace_id().to_bytes());
    write(&mut text[36..52], &span.span_id().to_bytes());
    write(&mut text[53..55], &[span.trace_flags().to_u8()]);
    if let Ok(value) = HeaderValue::from_bytes(&text) {
        headers.insert(PARENT, value);
    }
    let state = span.trace_state();
    if *state != TraceState::NONE
        && let Ok(value) = HeaderValue::try_from(state.header())
    {
        headers.insert(STATE, value);
    }
}

fn write(text: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(PARENT, text.parse().unwrap())])
    }

    #[test]
    fn what_a_caller_names_goes_on_to_whoever_is_called() {
        let mut asked = headers(TEXT);
        asked.insert(STATE, HeaderValue::from_static("vendor=1"));
        let parent = of_caller(&asked).unwrap();
        assert!(parent.is_sampled() && parent.is_remote());
        let mut sent = HeaderMap::new();
        announce(&mut sent, &parent);
        assert_eq!(sent, asked);
        let child = unrecorded(&parent);
        assert_eq!((child.trace_id(), child.is_sampled()), (parent.trace_id(), true));
        assert_ne!(child.span_id(), parent.span_id());
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        assert!(of_caller(&headers(&TEXT.replacen("00", "01", 1))).is_some());
        assert!(of_caller(&headers(&format!("{}-more", TEXT.replacen("00", "01", 1)))).is_some());
    }

    #[test]
    fn what_is_no_trace_is_none() {
        for text in
            ["", "00-1-2-03", &TEXT.to_uppercase().replace('A', "G"), &format!("{TEXT}-more"), &format!("{TEXT}0")]
        {
            assert!(of_caller(&headers(text)).is_none(), "{text}");
        }
        for part in [&TEXT[3..35], &TEXT[36..52]] {
            assert!(of_caller(&headers(&TEXT.replace(part, &"0".repeat(part.len())))).is_none(), "{part}");
        }
        assert!(of_caller(&headers(&TEXT.replacen("00", "ff", 1))).is_none());
    }

    #[test]
    fn whoever_belongs_to_no_trace_begins_one() {
        let root = unrecorded(&SpanContext::NONE);
        assert!(root.is_valid() && !root.is_sampled() && unrecorded(&SpanContext::NONE).trace_id() != root.trace_id());
    }
}
