//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use super::{decode, encode};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("heads", heads)];

fn heads(bytes: &[u8]) {
    let Some(heads) = decode(bytes) else { return };
    assert_eq!(decode(encode(&heads).as_bytes()), Some(heads));
}

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
