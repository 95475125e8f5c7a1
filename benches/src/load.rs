//! How long something is measured, and what comes of it.

use std::time::{Duration, Instant};

use anyhow::Result;

/// For how long a rate is measured.
#[derive(Clone, Copy)]
pub(crate) struct For(pub(crate) Duration);

impl For {
    /// When a measurement that begins now ends.
    pub(crate) fn end(self) -> Instant {
        Instant::now() + self.0
    }
}

/// A count over a time, a second.
pub(crate) fn per_second(count: u64, elapsed: Duration) -> Result<f64> {
    Ok(f64::from(u32::try_from(count)?) / elapsed.as_secs_f64())
}
