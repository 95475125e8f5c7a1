//! W3C trace context as text: what lets a trace run through calls, the database and the broker.
//!
//! The format is that of <https://www.w3.org/TR/trace-context/#traceparent-header>.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// Version, trace, span and flags, in hexadecimal.
const LENGTH: usize = 55;

/// What a `traceparent` names; `None` where it is none. A later version is read as far as it is known.
#[must_use]
pub fn parse(text: &[u8]) -> Option<SpanContext> {
    // A later version may append to what is known.
    let whole = text.len() == LENGTH || (text.len() > LENGTH && text[LENGTH] == b'-' && !text.starts_with(b"00"));
    if !whole || text.starts_with(b"ff") || [2, 35, 52].iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = std::str::from_utf8(&text[from..to]).ok()?;
        digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)).then_some(digits)
    };
    number(0, 2)?;
    let flags = u8::from_str_radix(number(53, LENGTH)?, 16).ok()?;
    let context = SpanContext::new(
        TraceId::from_hex(number(3, 35)?).ok()?,
        SpanId::from_hex(number(36, 52)?).ok()?,
        TraceFlags::new(flags),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

/// What a `traceparent` names; what is not valid where it is none.
#[must_use]
pub fn parent(text: &str) -> SpanContext {
    parse(text.as_bytes()).unwrap_or(SpanContext::NONE)
}

/// `span` as a `traceparent`.
#[must_use]
pub fn format(span: &SpanContext) -> String {
    let mut text = String::with_capacity(LENGTH);
    text.push_str("00-");
    push(&mut text, &span.trace_id().to_bytes());
    text.push('-');
    push(&mut text, &span.span_id().to_bytes());
    text.push('-');
    push(&mut text, &[span.trace_flags().to_u8()]);
    text
}

/// The trace id within a `traceparent`; empty where there is none.
#[must_use]
pub fn trace_id(traceparent: &str) -> &str {
    traceparent.split('-').nth(1).unwrap_or_default()
}

fn push(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn text_survives_the_round_trip() {
        let span = parse(TEXT.as_bytes()).unwrap();
        assert!(span.is_sampled() && span.is_remote());
        assert_eq!(format(&span), TEXT);
        assert_eq!(trace_id(TEXT), "0af7651916cd43dd8448eb211c80319c");
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        assert!(parse(TEXT.replacen("00", "01", 1).as_bytes()).is_some());
        assert!(parse(format!("{}-more", TEXT.replacen("00", "01", 1)).as_bytes()).is_some());
    }

    #[test]
    fn anything_else_is_no_trace_context() {
        for text in [
            "",
            "00",
            "00-1-2-03",
            "zz-x-y-z",
            &TEXT.to_uppercase(),
            &TEXT.replacen("00", "0g", 1),
            &TEXT.replacen("00", "ff", 1),
            &format!("{TEXT}-more"),
            &format!("{TEXT}0"),
            &TEXT.replace(&TEXT[3..35], &"0".repeat(32)),
            &TEXT.replace(&TEXT[36..52], &"0".repeat(16)),
        ] {
            assert!(parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
