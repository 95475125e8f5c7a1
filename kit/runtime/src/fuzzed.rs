//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use crate::{consumers, event_log, mesh, outside, settings};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[
    ("settings", settings::fuzzed::settings),
    ("answers-of-others", outside::answers_of_others),
    ("logs-of-others", event_log::fuzzed::logs_of_others),
    ("runtime-requests", runtime_requests),
    ("page-tokens", page_tokens),
];

/// Which of what every service serves, and what of it.
fn runtime_requests(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0, bytes)) => event_log::fuzzed::log_requests(bytes),
        Some((1, bytes)) => mesh::fuzzed::fault_requests(bytes),
        Some((_, bytes)) => consumers::fuzzed::consumer_requests(bytes),
        None => {}
    }
}

fn page_tokens(bytes: &[u8]) {
    let _ = str::from_utf8(bytes).map(event_log::recorded_at);
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
