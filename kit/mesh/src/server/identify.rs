//! Who calls: the workload whose certificate its connection was opened with, for as long as that is valid.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status};

use crate::Leaf;
use crate::Peer;
use crate::handshake::expires;
use crate::status::{self, Layer};

/// The workload that made `request`; every call that a [`Server`](crate::Server) hands on has one.
pub fn peer<T>(request: &Request<T>) -> Result<&Peer, Status> {
    request.extensions().get::<Arc<Peer>>().map(AsRef::as_ref).ok_or_else(|| {
        status::refusal(Layer::Identify, Code::Unauthenticated, "NO_PEER", "the caller is not known", [])
    })
}

/// Whoever a connection belongs to, until their certificate expires.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) peer: Arc<Peer>,
    pub(super) expires: Instant,
    /// Cancelled by the first call that comes too late.
    pub(super) expired: CancellationToken,
}

impl Caller {
    /// Whom a handshake that has just ended has proved to be there.
    pub(super) fn new(leaf: Leaf, address: SocketAddr) -> Self {
        let expires = expires(&leaf);
        Self { peer: Arc::new(Peer { id: leaf.id, address }), expires, expired: CancellationToken::new() }
    }

    /// Refuses what comes after the certificate has expired, and has the connection closed.
    pub(super) fn identify(&self, now: Instant) -> Result<&Arc<Peer>, Status> {
        if now < self.expires {
            return Ok(&self.peer);
        }
        self.expired.cancel();
        let caller = self.peer.id.name();
        tracing::warn!(caller, peer = %self.peer.address, "call refused: the caller's certificate has expired");
        Err(status::refusal(
            Layer::Identify,
            Code::Unauthenticated,
            "CERTIFICATE_EXPIRED",
            "the certificate of this connection has expired; open another with one that is valid",
            [("caller", caller)],
        ))
    }
}
