//! How large what a transaction writes may be. What could not pass every limit on its way later is refused before the commit,
//! where it is one command's or one reaction's error; afterwards it would stop every reader behind it.

use tradewind_domain::{Error, ErrorKind, LARGEST_EVENT};

/// Refuses, for that reason, what takes more bytes than an event may.
///
/// # Errors
/// `Invalid` with `reason`.
pub fn fits(reason: &'static str, bytes: usize, what: impl FnOnce() -> String) -> Result<(), Error> {
    if bytes <= LARGEST_EVENT {
        return Ok(());
    }
    let text = format!("{} would take {bytes} bytes, and may take {LARGEST_EVENT}", what());
    let refused = Error::new(ErrorKind::Invalid, reason, text);
    Err(refused.with("bytes", bytes.to_string()).with("limit", LARGEST_EVENT.to_string()))
}
