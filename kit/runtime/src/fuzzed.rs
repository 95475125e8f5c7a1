//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use crate::{event_log, outside, settings};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[
    ("settings", settings::fuzzed::settings),
    ("answers-of-others", outside::answers_of_others),
    ("page-tokens", page_tokens),
];

fn page_tokens(bytes: &[u8]) {
    let _ = str::from_utf8(bytes).map(event_log::recorded_at);
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
