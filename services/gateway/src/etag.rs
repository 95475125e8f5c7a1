//! Marks of what was answered, so that whoever has it need not be sent it again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header::IF_NONE_MATCH};
use sha2::{Digest, Sha256};

/// Bytes of the digest that a mark has.
const BYTES: usize = 16;

/// The mark of an answer: weak, since it is the same however the answer is packed.
pub(crate) fn of(body: &[u8]) -> Option<HeaderValue> {
    let digest = Sha256::digest(body);
    HeaderValue::try_from(format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..BYTES]))).ok()
}

/// Whether whoever asks has what bears this mark.
pub(crate) fn has(headers: &HeaderMap, mark: &HeaderValue) -> bool {
    let opaque = |mark: &str| mark.trim().trim_start_matches("W/").to_owned();
    let Ok(mark) = mark.to_str().map(opaque) else { return false };
    let said = headers.get_all(IF_NONE_MATCH).iter().filter_map(|said| said.to_str().ok());
    said.flat_map(|said| said.split(',')).any(|said| said.trim() == "*" || opaque(said) == mark)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mark_is_known_among_others_and_whether_weak_or_not() {
        let mark = of(b"{}").unwrap();
        let text = mark.to_str().unwrap();
        let said = |text: &str| has(&HeaderMap::from_iter([(IF_NONE_MATCH, text.parse().unwrap())]), &mark);
        assert!(said(text) && said(&format!("\"a\", {text}")) && said(&text[2..]) && said("*"));
        assert!(!said("\"a\"") && !said("") && !has(&HeaderMap::new(), &mark));
        assert_ne!(of(b"{ }").unwrap(), mark);
    }
}
