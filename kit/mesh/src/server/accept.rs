//! The first layer: which connections there are room for, and how long each may take to say who it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tradewind_admission::Listener;

/// Connections a server holds at once, handshakes included; more wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// Handshakes under way at once, so that strangers cannot take every connection.
const HANDSHAKES: usize = 256;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// What a handshake has instead while most places are taken, so that those who say nothing hold up nobody for long.
const HURRIED_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(1);

/// Room for one more connection and its handshake.
pub(super) struct Place {
    pub(super) connection: OwnedSemaphorePermit,
    pub(super) handshake: OwnedSemaphorePermit,
}

/// Whether most places for connections are taken.
pub(super) fn is_crowded(connection: &OwnedSemaphorePermit) -> bool {
    connection.semaphore().available_permits() < CONNECTIONS / 2
}

impl Place {
    /// How long the handshake may take that starts now.
    pub(super) fn patience(&self) -> Duration {
        let free = self.handshake.semaphore().available_permits();
        if free < HANDSHAKES / 2 { HURRIED_HANDSHAKE_TIMEOUT } else { HANDSHAKE_TIMEOUT }
    }
}

pub(super) struct Places {
    connections: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Self {
        Self { connections: Arc::new(Semaphore::new(CONNECTIONS)), handshakes: Arc::new(Semaphore::new(HANDSHAKES)) }
    }
}

impl Places {
    #[expect(clippy::expect_used, reason = "the semaphores are never closed")]
    pub(super) async fn take(&self) -> Place {
        let connection = self.connections.clone().acquire_owned().await.expect("never closed");
        let handshake = self.handshakes.clone().acquire_owned().await.expect("never closed");
        Place { connection, handshake }
    }
}

/// The next connection. Running out of file descriptors passes; giving up would not.
pub(super) async fn accept(listener: &Listener) -> (TcpStream, SocketAddr) {
    const FIRST: Duration = Duration::from_millis(5);
    const LONGEST: Duration = Duration::from_secs(1);
    let mut pause = FIRST;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections at the moment");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST);
            }
        }
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
