//! The service's own settings.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

use crate::app::SETTLE_WITHIN;

/// What can be set beside what every service has.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Config {
    /// How long an order may take to be confirmed when its request does not say; 1 s to 24 h.
    #[serde(default = "default_order_deadline", deserialize_with = "order_deadline")]
    pub(crate) order_deadline: Duration,
}

const fn default_order_deadline() -> Duration {
    Duration::from_secs(60)
}

fn order_deadline<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let deadline = tradewind_runtime::duration(deserializer)?;
    if SETTLE_WITHIN.contains(&deadline) { Ok(deadline) } else { Err(D::Error::custom("must be from 1s to 24h")) }
}
