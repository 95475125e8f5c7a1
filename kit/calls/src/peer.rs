//! Who is at the other end.

use std::net::SocketAddr;

use tradewind_workload::SpiffeId;

/// The workload at the other end of a call.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its verified identity.
    pub id: SpiffeId,
    /// Where its connection comes from.
    pub address: SocketAddr,
}
