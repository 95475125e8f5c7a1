//! This service's own settings; the runtime reads them from its sources.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Deserialize;
use tradewind_runtime::outside::{self, Url};

/// Where the carrier is and how it is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// Base URL of the carrier.
    #[serde(deserialize_with = "outside::base_url")]
    pub(crate) outside_url: Url,
    /// How long one call may take, at most 5 s: a delivery makes two.
    #[serde(deserialize_with = "outside::timeout::<5, _>")]
    pub(crate) outside_timeout: Duration,
    /// The most calls at one time.
    pub(crate) carrier_concurrency: NonZeroUsize,
}

#[expect(clippy::expect_used, reason = "the defaults are constants, which a test reads")]
impl Default for Config {
    fn default() -> Self {
        Self {
            outside_url: outside::default_url(),
            outside_timeout: outside::TIMEOUT,
            carrier_concurrency: NonZeroUsize::new(32).expect("not zero"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn the_defaults_are_those_the_help_shows() {
        let config = Config::default();
        assert_eq!((config.outside_timeout.as_secs(), config.carrier_concurrency.get()), (2, 32));
    }
}
