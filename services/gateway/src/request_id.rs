//! The name of a request, by which whoever asked and whoever runs this can speak of it.

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The longest that is taken.
const LONGEST: usize = 128;

/// The name of one request: its own where that is fit to be repeated, or a new one.
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// Of a request with these headers.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).filter(|given| is_sane(given.as_bytes()));
        Self(given.cloned().unwrap_or_else(new))
    }

    pub(crate) fn text(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) fn into_header(self) -> HeaderValue {
        self.0
    }
}

fn new() -> HeaderValue {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text: &str = Uuid::now_v7().hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none"))
}

fn is_sane(text: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=LONGEST).contains(&text.len()) && text.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(text: &str) -> String {
        let headers = HeaderMap::from_iter([(HEADER, text.parse().unwrap())]);
        RequestId::of(&headers).text().to_owned()
    }

    #[test]
    fn a_name_that_can_be_repeated_is_kept_and_any_other_replaced() {
        assert_eq!(of("ticket-1:a/b+c="), "ticket-1:a/b+c=");
        for odd in ["", "a b", "a\"b", "<a>", &"a".repeat(LONGEST + 1)] {
            assert_eq!(of(odd).len(), 36, "{odd:?}");
        }
        assert_ne!(of(""), of(""));
    }
}
