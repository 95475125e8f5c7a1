//! Where a party is and how long a call may take, as settings of the services that have one.

use std::time::Duration;

use reqwest::{Certificate, Url};

/// Where parties outside are when no setting says it.
pub const URL: &str = "http://127.0.0.1:7300";

/// Reads a base URL.
///
/// # Errors
/// Text that is no http or https URL of a host.
pub fn base_url(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(format!("{text} is not an http URL")),
    }
}

/// Reads a certificate of an authority, as PEM, by which a party may be known besides the public ones; none where the text is empty.
///
/// # Errors
/// Text that is not one certificate.
pub fn authority(text: &str) -> Result<Option<Certificate>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match Certificate::from_pem_bundle(text.as_bytes()).as_deref() {
        Ok([authority]) => Ok(Some(authority.clone())),
        _ => Err("is not one certificate as PEM".to_owned()),
    }
}

/// Reads the time of a call, up to `LONGEST` seconds: not much longer than that the engine gives up on it.
///
/// # Errors
/// Text that is no duration, or one out of bounds.
pub fn timeout<const LONGEST: u64>(text: &str) -> Result<Duration, String> {
    match crate::duration(text)? {
        timeout if (Duration::from_millis(1)..=Duration::from_secs(LONGEST)).contains(&timeout) => Ok(timeout),
        _ => Err(format!("must be 1ms to {LONGEST}s")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_base_is_an_http_url() {
        assert_eq!(base_url(URL).unwrap().as_str(), "http://127.0.0.1:7300/");
        assert_eq!(base_url("https://h/shop").unwrap().as_str(), "https://h/shop");
        for text in ["", "h:1", "mailto:somebody", "unix:/run/x"] {
            assert!(base_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_call_has_its_bounds() {
        assert_eq!(
            (timeout::<5>("1ms"), timeout::<5>("5s")),
            (Ok(Duration::from_millis(1)), Ok(Duration::from_secs(5)))
        );
        assert_eq!(timeout::<5>("5001ms").unwrap_err(), "must be 1ms to 5s");
        assert!(timeout::<5>("0s").is_err() && timeout::<5>("soon").is_err());
    }
}
