//! This service's own settings; the runtime reads them from its sources.

use std::num::NonZeroUsize;
use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Deserializer, de::Error};

/// Where the carrier is and how it is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// Base URL of the carrier.
    #[serde(deserialize_with = "http_url")]
    pub(crate) outside_url: Url,
    /// How long one call may take, at most 5 s: a delivery makes two, and the engine gives up not much later.
    #[serde(deserialize_with = "call_timeout")]
    pub(crate) outside_timeout: Duration,
    /// The most calls at one time.
    pub(crate) carrier_concurrency: NonZeroUsize,
}

pub(crate) const OUTSIDE_URL: &str = "http://127.0.0.1:7300";

#[expect(clippy::expect_used, reason = "the defaults are constants, which a test reads")]
impl Default for Config {
    fn default() -> Self {
        Self {
            outside_url: Url::parse(OUTSIDE_URL).expect("a URL"),
            outside_timeout: Duration::from_secs(2),
            carrier_concurrency: NonZeroUsize::new(32).expect("not zero"),
        }
    }
}

const LONGEST_CALL: Duration = Duration::from_secs(5);

fn call_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let timeout = tradewind_runtime::duration(deserializer)?;
    if (Duration::from_millis(1)..=LONGEST_CALL).contains(&timeout) {
        Ok(timeout)
    } else {
        Err(D::Error::custom("must be 1ms to 5s"))
    }
}

fn http_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = Url::parse(&text).map_err(D::Error::custom)?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err(D::Error::custom(format!("{text} is not an http URL")))
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn the_defaults_are_those_the_help_shows() {
        let config = Config::default();
        assert_eq!(config.outside_url.as_str(), "http://127.0.0.1:7300/");
        assert_eq!((config.outside_timeout.as_secs(), config.carrier_concurrency.get()), (2, 32));
    }
}
