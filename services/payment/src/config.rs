//! This service's own settings; the runtime reads them from its sources.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Deserialize;
use tradewind_runtime::outside::{self, Url};

/// Where the card provider is and how it is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// Base URL of the card provider.
    #[serde(deserialize_with = "outside::base_url")]
    pub(crate) outside_url: Url,
    /// How long one call may take, at most 10 s.
    #[serde(deserialize_with = "outside::timeout::<10, _>")]
    pub(crate) outside_timeout: Duration,
    /// The most calls at one time.
    pub(crate) charge_concurrency: NonZeroUsize,
}

#[expect(clippy::expect_used, reason = "the defaults are constants, which a test reads")]
impl Default for Settings {
    fn default() -> Self {
        Self {
            outside_url: outside::default_url(),
            outside_timeout: outside::TIMEOUT,
            charge_concurrency: NonZeroUsize::new(32).expect("not zero"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn the_defaults_are_those_the_help_shows() {
        let settings = Settings::default();
        assert_eq!((settings.outside_timeout.as_secs(), settings.charge_concurrency.get()), (2, 32));
    }
}
