//! The open connections of an endpoint, and which of them a call is sent over.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::connection::Connection;

/// Calls on each connection before another is opened beside it: what is ready goes out together, and with few connections both ends
/// would take turns instead of working at the same time. HTTP/2 has one lock a connection besides.
const BUSY: usize = 16;
/// Connections to one address, at most.
const CONNECTIONS: usize = 8;
/// So many calls at once may be all that a connection takes: what comes beyond waits for another to be opened, or for one of them to
/// end.
const FULL: usize = 100;

#[derive(Default)]
pub(super) struct Pool {
    connections: ArcSwap<Vec<Arc<Connection>>>,
    /// Whoever opens them has something to do.
    pub(super) look: Notify,
    /// Told whenever a connection has room, or is new.
    room: Notify,
}

impl Pool {
    pub(super) fn all(&self) -> Arc<Vec<Arc<Connection>>> {
        self.connections.load_full()
    }

    /// Puts these in place of those before.
    pub(super) fn has(&self, connections: Vec<Arc<Connection>>) {
        self.connections.store(Arc::new(connections));
        self.room.notify_waiters();
    }

    /// Whether one takes calls.
    pub(super) fn is_ready(&self) -> bool {
        self.connections.load().iter().any(|connection| !connection.is_closed())
    }

    /// Whether another connection would be of use.
    pub(super) fn is_busy(&self) -> bool {
        let connections = self.connections.load();
        connections.len() < CONNECTIONS && connections.iter().all(|connection| connection.in_flight() >= BUSY)
    }

    /// The least busy, and whether it is full although there may soon be another.
    fn least_busy(&self) -> Option<(Arc<Connection>, bool)> {
        let connections = self.connections.load();
        let open = connections.iter().filter(|connection| !connection.is_closed());
        let connection = open.min_by_key(|connection| connection.in_flight())?;
        let grows = connections.len() < CONNECTIONS && connection.in_flight() >= BUSY;
        if grows {
            self.look.notify_one();
        }
        Some((connection.clone(), grows && connection.in_flight() >= FULL))
    }

    /// A connection for a call, as soon as one has room; none where all are closed.
    pub(super) async fn take(&self) -> Option<Arc<Connection>> {
        loop {
            // Listens before it looks, so that nothing is missed in between.
            let room = self.room.notified();
            let (connection, is_full) = self.least_busy()?;
            if !is_full {
                return Some(connection);
            }
            room.await;
        }
    }

    /// A call on one of them is over. Each lets one go on that waits: whoever is woken may find the place taken, and waits again.
    pub(super) fn left(&self, connection: &Connection) {
        connection.leave();
        self.room.notify_one();
    }
}
