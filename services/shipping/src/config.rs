//! This service's own settings; the runtime reads them from its sources.

use std::num::NonZeroUsize;
use std::time::Duration;

use tradewind_runtime::outside::{self, Url};
use tradewind_runtime::positive;

tradewind_runtime::settings! {
    /// Where the carrier is and how it is called.
    pub(crate) struct Config {
        /// base URL of the carrier
        outside_url: Url = outside::URL => outside::base_url,
        /// how long one call to it may take, at most 5s: a delivery makes two
        outside_timeout: Duration = "2s" => outside::timeout::<5>,
        /// the most calls to it at one time
        carrier_concurrency: NonZeroUsize = "32" => positive,
    }
}
