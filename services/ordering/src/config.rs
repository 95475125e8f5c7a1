//! The service's own settings.

use std::time::Duration;

use crate::app::SETTLE_WITHIN;

tradewind_runtime::settings! {
    /// What can be set beside what every service has.
    pub(crate) struct Config {
        /// how long an order may take to be confirmed when its request does not say, 1s to 24h
        order_deadline: Duration = "60s" => order_deadline,
    }
}

fn order_deadline(text: &str) -> Result<Duration, String> {
    let deadline = tradewind_runtime::duration(text)?;
    if SETTLE_WITHIN.contains(&deadline) { Ok(deadline) } else { Err("must be from 1s to 24h".to_owned()) }
}
