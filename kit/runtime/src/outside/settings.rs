//! Where a party is and how long a call may take, as settings of the services that have one.

use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Deserializer, de::Error};

/// Where parties outside are when no setting says it.
pub const URL: &str = "http://127.0.0.1:7300";
/// How long one call may take when no setting says it.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// The parsed [`URL`].
#[must_use]
#[expect(clippy::expect_used, reason = "a constant, which a test reads")]
pub fn default_url() -> Url {
    Url::parse(URL).expect("a URL")
}

/// Deserializes a base URL, for `#[serde(deserialize_with = "outside::base_url")]`.
///
/// # Errors
/// Text that is no http or https URL of a host.
pub fn base_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = Url::parse(&text).map_err(D::Error::custom)?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err(D::Error::custom(format!("{text} is not an http URL")))
    }
}

/// Deserializes the time of a call, up to `LONGEST` seconds: not much longer than that the engine gives up on it. For
/// `#[serde(deserialize_with = "outside::timeout::<10, _>")]`.
///
/// # Errors
/// Text that is no duration, or one out of bounds.
pub fn timeout<'de, const LONGEST: u64, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let timeout = crate::duration(deserializer)?;
    if (Duration::from_millis(1)..=Duration::from_secs(LONGEST)).contains(&timeout) {
        Ok(timeout)
    } else {
        Err(D::Error::custom(format!("must be 1ms to {LONGEST}s")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::de::{IntoDeserializer, value};

    use super::*;

    fn deserializer(text: &str) -> value::StrDeserializer<'_, value::Error> {
        text.into_deserializer()
    }

    #[test]
    fn a_base_is_an_http_url() {
        assert_eq!(default_url().as_str(), "http://127.0.0.1:7300/");
        assert_eq!(base_url(deserializer("https://h/shop")).unwrap().as_str(), "https://h/shop");
        for text in ["", "h:1", "mailto:somebody", "unix:/run/x"] {
            assert!(base_url(deserializer(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_call_has_its_bounds() {
        let read = |text| timeout::<5, _>(deserializer(text));
        assert_eq!((read("1ms"), read("5s")), (Ok(Duration::from_millis(1)), Ok(Duration::from_secs(5))));
        assert_eq!(read("5001ms").unwrap_err().to_string(), "must be 1ms to 5s");
        assert!(read("0s").is_err() && read("soon").is_err());
    }
}
