//! Not everybody at once.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Something between nothing and `most`. The keys of a new `RandomState` differ each time.
#[must_use]
pub fn jitter(most: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().hash_one(0_u8) >> 32).unwrap_or(0);
    most.mul_f64(f64::from(random) / f64::from(u32::MAX))
}
