//! What the client tells of its connection to the broker, and what of it is said.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_nats::{ClientError, Event, Server, ServerError};
use tokio::sync::watch;

use super::Link;
use crate::metrics::metrics;

/// What the server's word on a subject begins with that the client may not use.
const VIOLATION: &str = "Permissions Violation";
/// What the client's word on a server begins with that doesn't know it.
const UNKNOWN_CLIENT: &str = "authorization violation";
/// So many different texts are logged until the next connection.
const MOST_LOGGED: usize = 64;

/// Follows what the client tells of its connection, and says what is new.
pub(super) struct Watcher {
    link: watch::Sender<Link>,
    heard: Mutex<Heard>,
}

/// What was heard since the last connection was made.
#[derive(Default)]
struct Heard {
    /// What has been logged: a client that may not do a thing asks again and again, and so does one that reaches nobody.
    logged: HashSet<String>,
    /// Why each server could not be reached when it was tried last.
    failure: Option<String>,
}

impl Watcher {
    pub(super) fn new(link: watch::Sender<Link>) -> Self {
        Self { link, heard: Mutex::default() }
    }

    /// Why no server could be reached, where one has been tried since the last connection.
    pub(super) fn failure(&self) -> Option<String> {
        self.heard().failure.clone()
    }

    /// The client is about to try another time; the servers say what came of the last. Its events tell no more than the kind.
    pub(super) fn tried(&self, servers: &[Server]) {
        let why = |server: &Server| {
            Some(format!("{}:{}: {}", server.addr.host(), server.addr.port(), server.last_error.as_ref()?))
        };
        let failures: Vec<String> = servers.iter().filter_map(why).collect();
        if failures.is_empty() {
            return;
        }
        let failure = failures.join("; ");
        if self.heard().is_new(&failure) {
            tracing::warn!(failure, "the broker cannot be reached; trying again until it can");
        }
        self.heard().failure = Some(failure);
    }

    pub(super) fn note(&self, event: &Event) {
        match event {
            Event::Connected => {
                *self.heard() = Heard::default();
                self.link.send_modify(|link| {
                    link.epoch += 1;
                    link.up = true;
                });
            }
            Event::Disconnected | Event::Closed => self.link.send_modify(|link| link.up = false),
            Event::ServerError(ServerError::Other(text)) if text.starts_with(VIOLATION) => self.refused(text),
            Event::ClientError(ClientError::Other(text)) if text.starts_with(UNKNOWN_CLIENT) => self.refused(text),
            // Each attempt to connect reports one; the servers say why.
            Event::ClientError(_) if !self.link.borrow().up => {}
            Event::SlowConsumer(_) | Event::ServerError(_) | Event::ClientError(_) => {
                tracing::warn!(%event, "the broker's client reports a fault");
            }
            Event::LameDuckMode | Event::Draining => {}
        }
    }

    fn refused(&self, text: &str) {
        metrics().broker_refusals.add(1, &[]);
        if self.heard().is_new(text) {
            tracing::error!(refusal = text, "the broker refuses what its permissions don't grant this service");
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    /// Tells whether a text has not been logged yet, and takes it for logged.
    fn is_new(&mut self, text: &str) -> bool {
        self.logged.len() < MOST_LOGGED && self.logged.insert(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_logged_once_a_connection() {
        let watcher = Watcher::new(watch::channel(Link::default()).0);
        let refusal =
            Event::ServerError(ServerError::Other("Permissions Violation for Publish to \"tw.x\"".to_owned()));
        watcher.note(&Event::Connected);
        watcher.note(&refusal);
        watcher.note(&refusal);
        assert_eq!(watcher.heard().logged.len(), 1);
        watcher.note(&Event::Connected);
        assert!(watcher.heard().logged.is_empty());
    }
}
