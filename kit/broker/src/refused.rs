//! Why a message was not taken.

use std::error::Error as _;

use async_nats::jetstream;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};

/// A request that the server finds wrong, as HTTP says it. What it has no room, no quorum or no time for is 5xx.
const WRONG: usize = 400;

/// Whether it is this very message that is not taken: it is too large to be sent, or a server that answers finds it wrong. Anything
/// else is the connection's, the stream's or the server's fault, and would be any other's, too.
#[must_use]
pub fn is_of_the_message(error: &PublishError) -> bool {
    match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => true,
        PublishErrorKind::Other => {
            let told = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>());
            told.is_some_and(|told| told.code() == WRONG && told.error_code() != ErrorCode::ACCOUNT_RESOURCES_EXCEEDED)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use super::*;

    #[test]
    fn a_server_in_trouble_refuses_no_message() {
        let told = |code: u16, error: u64| {
            let error = serde_json::from_value::<jetstream::Error>(serde_json::json!({
                "code": code, "err_code": error, "description": "it is not taken"
            }));
            PublishError::with_source(PublishErrorKind::Other, error.expect("an error"))
        };
        assert!(is_of_the_message(&told(400, 10_054)), "larger than a message of the stream may be");
        for (code, error) in [(500, 10_047), (503, 10_023), (503, 10_008), (503, 10_077), (400, 10_002)] {
            assert!(!is_of_the_message(&told(code, error)), "{error}");
        }
        assert!(is_of_the_message(&PublishError::new(PublishErrorKind::MaxPayloadExceeded)));
        assert!(!is_of_the_message(&PublishError::new(PublishErrorKind::TimedOut)));
    }
}
