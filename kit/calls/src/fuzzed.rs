//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::sizes::HEAD;
use crate::{deadline, message, missing, reason, status, trace, violations};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] =
    &[("messages", messages), ("traces", traces), ("deadlines", deadlines), ("statuses", statuses)];

/// Whether the headers say that it is packed, and a message with its head.
fn messages(bytes: &[u8]) {
    let Some((packed, body)) = bytes.split_first() else { return };
    let mut headers = HeaderMap::new();
    if packed % 2 == 1 {
        headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
    }
    let Ok(plain) = message::unpack(&mut headers, Bytes::copy_from_slice(body)) else { return };
    let length = plain.get(1..HEAD).map(|length| length.iter().fold(0, |all, byte| (all << 8) | usize::from(*byte)));
    assert_eq!((plain[0], length), (0, Some(plain.len() - HEAD)));
    let again = message::unpack(&mut HeaderMap::new(), plain.clone());
    assert!(again.is_ok_and(|again| again == plain), "it is another message");
}

/// `traceparent`, and `tracestate` on the next line.
fn traces(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for (name, line) in ["traceparent", "tracestate"].into_iter().zip(bytes.split(|byte| *byte == b'\n')) {
        headers.extend(HeaderValue::from_bytes(line).map(|value| (http::HeaderName::from_static(name), value)));
    }
    let Some(span) = trace::of_caller(&headers) else { return };
    let mut told = HeaderMap::new();
    trace::announce(&mut told, &span);
    let again = trace::of_caller(&told).map(|span| (span.trace_id(), span.span_id(), span.trace_flags()));
    assert_eq!(again, Some((span.trace_id(), span.span_id(), span.trace_flags())));
}

fn deadlines(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let headers = HeaderMap::from_iter([(http::HeaderName::from_static(deadline::HEADER), value)]);
    let (now, asked) = (Instant::now(), deadline::asked(&headers));
    let until = deadline::of_call(now, None, &headers);
    assert_eq!(until.map(|until| until - now), asked);
}

/// A code, and the details of a status as another workload sends them.
fn statuses(bytes: &[u8]) {
    let Some((first, details)) = bytes.split_first() else { return };
    let code = Code::from_i32((*first % 17).into());
    let text = "what the status says ".repeat(if *first < 128 { 1 } else { 1_000 });
    let said = Status::with_details(code, text, Bytes::copy_from_slice(details));
    let _ = (reason(&said), violations(&said), missing(&said));
    let mut headers = HeaderMap::new();
    if said.add_header(&mut headers).is_ok() {
        status::fit(&mut headers);
        let fitting = Status::from_header_map(&headers).map(|status| status.code());
        assert_eq!(fitting, Some(code), "what fits has the same code");
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
