//! This service's own settings; the runtime reads them from its sources.

use std::num::NonZeroUsize;
use std::time::Duration;

use tradewind_runtime::outside::{self, Url};
use tradewind_runtime::positive;

tradewind_runtime::settings! {
    /// Where the card provider is and how it is called.
    pub(crate) struct Settings {
        /// base URL of the card provider
        outside_url: Url = outside::URL => outside::base_url,
        /// how long one call to it may take, at most 10s
        outside_timeout: Duration = "2s" => outside::timeout::<10>,
        /// the most calls to it at one time
        charge_concurrency: NonZeroUsize = "32" => positive,
    }
}
