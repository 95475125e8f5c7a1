//! How large what a transaction writes may be. What could not pass every limit on its way later is refused before the commit,
//! where it is one command's or one reaction's error; afterwards it would stop every reader behind it.

use tradewind_domain::{Error, ErrorKind, LARGEST_EVENT};

use super::pending::Pending;

/// Looks at everything that is kept.
pub(super) fn check(pending: &Pending) -> Result<(), Error> {
    for event in pending.events.iter().map(|pending| &pending.event) {
        fits("EVENT_TOO_LARGE", event.size(), || format!("{} of {}", event.type_name, event.stream))?;
    }
    for (key, response) in &pending.requests {
        fits("RESPONSE_TOO_LARGE", response.len(), || format!("the response to {}", key.method))?;
    }
    for ((kind, key), kept) in &pending.intents {
        fits("INTENT_TOO_LARGE", kept.intent.payload.len(), || format!("the intent {kind} of {key}"))?;
    }
    for ((name, key), timer) in &pending.timers {
        let bytes = timer.as_ref().map_or(0, |timer| timer.payload.len());
        fits("TIMER_TOO_LARGE", bytes, || format!("the timer {name} of {key}"))?;
    }
    Ok(())
}

fn fits(reason: &'static str, bytes: usize, what: impl FnOnce() -> String) -> Result<(), Error> {
    if bytes <= LARGEST_EVENT {
        return Ok(());
    }
    let text = format!("{} would take {bytes} bytes, and may take {LARGEST_EVENT}", what());
    Err(Error::new(ErrorKind::Invalid, reason, text).with("bytes", bytes.to_string()))
}
