//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use crate::RateLimits;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("rate-limits", rate_limits)];

fn rate_limits(bytes: &[u8]) {
    let Some(limits) = str::from_utf8(bytes).ok().and_then(|text| text.parse::<RateLimits>().ok()) else { return };
    assert_eq!(limits.to_string().parse(), Ok(limits));
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
