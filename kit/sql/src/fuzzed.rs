//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use crate::mark::fuzzed::marks;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("marks", marks)];

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
