//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use super::StandingView;
use crate::app::Standing;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("carrier-answers", carrier_answers)];

fn carrier_answers(bytes: &[u8]) {
    let _ = serde_json::from_slice::<StandingView>(bytes).map(Standing::from);
}

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
