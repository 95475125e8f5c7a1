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
        /// how much later the ledger or the provider's statement may have what the other has, before it counts as missing
        settle_tolerance: Duration = "24h" => tolerance,
    }
}

/// The longest that one side may be late: as long as the longest period.
const LONGEST_TOLERANCE: Duration = Duration::from_secs(31 * 86_400);

fn tolerance(text: &str) -> Result<Duration, String> {
    let read = tradewind_runtime::duration(text)?;
    if read <= LONGEST_TOLERANCE { Ok(read) } else { Err("must be at most 744h".to_owned()) }
}
