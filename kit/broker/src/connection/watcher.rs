//! What the client tells of its connection to the broker, and what of it is said.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_nats::{ClientError, Event, Server, ServerError};
use tokio::sync::watch;
use tradewind_sql::brief;

use super::Link;
use crate::metrics::metrics;

/// What the server's word on a subject begins with that the client may not use.
const VIOLATION: &str = "Permissions Violation";
/// What the client's word on a server begins with that doesn't know it.
const UNKNOWN_CLIENT: &str = "authorization violation";
/// What the client says of a name that cannot be looked up. It is the one failure that is not kept with a server.
const UNKNOWN_NAME: &str = "DNS error";
/// So many different texts are logged at most until the next connection.
const MOST_LOGGED: usize = 64;

/// Follows what the client tells of its connection, and says what is new.
pub(super) struct Watcher {
    link: watch::Sender<Link>,
    heard: Mutex<Heard>,
}

/// What was heard since the last connection was made.
#[derive(Default)]
struct Heard {
    /// What has been logged: a client that may not do a thing asks again and again.
    refusals: HashSet<String>,
    /// What has been logged of servers that could not be connected to, without what changes from one attempt to the next.
    failures: HashSet<String>,
    /// Why none could be connected to the last time.
    failure: Option<String>,
    /// Whether any has been tried.
    tried: bool,
}

impl Watcher {
    pub(super) fn new(link: watch::Sender<Link>) -> Self {
        Self { link, heard: Mutex::default() }
    }

    /// Why no connection could be made since the last one, where that was tried.
    pub(super) fn failure(&self) -> Option<String> {
        self.heard().failure.clone()
    }

    /// The client is about to try its servers; they say what came of it the last time. Its events tell no more than the kind.
    pub(super) fn tries(&self, servers: &[Server]) {
        // The first time, what they say is from before the last connection.
        if !std::mem::replace(&mut self.heard().tried, true) {
            return;
        }
        let (mut kinds, mut failures) = (Vec::new(), Vec::new());
        // Others are told of by servers, and they are never forgotten.
        for server in servers.iter().filter(|server| !server.is_discovered) {
            let Some(error) = &server.last_error else { continue };
            let name = format!("{}:{}", server.addr.host(), server.addr.port());
            // Behind that may be a time.
            let kind: Vec<&str> = error.split(": ").take(2).collect();
            kinds.push(format!("{name}: {}", kind.join(": ")));
            failures.push(format!("{name}: {error}"));
        }
        if !failures.is_empty() {
            self.failed(&kinds.join("; "), brief(&failures.join("; ")));
        }
    }

    fn failed(&self, kind: &str, failure: &str) {
        let mut heard = self.heard();
        heard.failure = Some(failure.to_owned());
        if is_new(&mut heard.failures, kind) {
            tracing::warn!(failure, "no connection to the broker could be made; trying again until one can");
        }
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
            Event::ClientError(ClientError::Other(text)) if text == UNKNOWN_NAME => {
                self.failed(text, "the broker's name cannot be looked up");
            }
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
        if is_new(&mut self.heard().refusals, text) {
            tracing::error!(refusal = text, "the broker refuses what its permissions don't grant this service");
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells whether a text has not been logged yet, and takes it for logged.
fn is_new(logged: &mut HashSet<String>, text: &str) -> bool {
    logged.len() < MOST_LOGGED && logged.insert(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
    use super::*;

    #[test]
    fn a_refusal_is_logged_once_a_connection() {
        let watcher = Watcher::new(watch::channel(Link::default()).0);
        let refusal =
            Event::ServerError(ServerError::Other("Permissions Violation for Publish to \"tw.x\"".to_owned()));
        watcher.note(&Event::Connected);
        watcher.note(&refusal);
        watcher.note(&refusal);
        assert_eq!(watcher.heard().refusals.len(), 1);
        watcher.note(&Event::Connected);
        assert!(watcher.heard().refusals.is_empty());
    }

    fn server(last_error: Option<&str>) -> Server {
        Server {
            addr: "nats://broker:4222".parse().unwrap(),
            failed_attempts: 0,
            did_connect: false,
            is_discovered: false,
            last_error: last_error.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn a_failure_is_told_as_it_is_now_and_logged_once() {
        let watcher = Watcher::new(watch::channel(Link::default()).0);
        watcher.tries(&[server(None)]);
        for second in 0..100 {
            watcher.tries(&[server(Some(&format!("IO error: certificate expired: {second} seconds ago")))]);
        }
        let told = "broker:4222: IO error: certificate expired: 99 seconds ago";
        assert_eq!((watcher.failure().as_deref(), watcher.heard().failures.len()), (Some(told), 1));
        watcher.note(&Event::ClientError(ClientError::Other(UNKNOWN_NAME.to_owned())));
        assert_eq!(watcher.failure().as_deref(), Some("the broker's name cannot be looked up"));
    }

    #[test]
    fn what_a_server_said_before_the_last_connection_is_not_told() {
        let watcher = Watcher::new(watch::channel(Link::default()).0);
        let refused = server(Some("IO error: refused"));
        watcher.note(&Event::Connected);
        watcher.note(&Event::Disconnected);
        watcher.tries(std::slice::from_ref(&refused));
        assert_eq!(watcher.failure(), None);
        watcher.tries(&[refused]);
        assert_eq!(watcher.failure().as_deref(), Some("broker:4222: IO error: refused"));
    }
}
