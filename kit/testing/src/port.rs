//! Ports for processes that cannot be told to choose one themselves.

use std::sync::{Mutex, PoisonError};

use tradewind_runtime::FreePort;

/// Given to nobody again until this process ends: a test's server may come and go.
static TAKEN: Mutex<Vec<FreePort>> = Mutex::new(Vec::new());

/// Returns a port of 127.0.0.1 that nobody listened on a moment ago and that no running process was given before.
///
/// A server that can bind port 0 and say what it got should do that instead.
///
/// # Panics
/// When no free port is found.
#[must_use]
#[track_caller]
pub fn free_port() -> u16 {
    let port = FreePort::find().expect("a free port on 127.0.0.1");
    let number = port.number();
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner).push(port);
    number
}
