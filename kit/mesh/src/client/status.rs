//! What channels look like at one moment, for whoever shows it to people.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::State;
use super::endpoint::{self, Endpoint};
use crate::metrics::Traffic;

/// A service that is called.
#[derive(Clone, Debug)]
pub struct PeerStatus {
    /// Its name.
    pub peer: String,
    /// Places for unary calls.
    pub calls: Bulkhead,
    /// Places for streams, which wait in no queue.
    pub streams: Bulkhead,
    /// Repetitions that are saved up for, and the most that may be.
    pub retries: (u32, u32),
    /// The calls to it of late.
    pub traffic: Traffic,
    /// Where it may be reached.
    pub endpoints: Vec<EndpointStatus>,
    /// Why nobody knows where, and for how long.
    pub unknown: Option<(Duration, String)>,
}

/// Places for calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bulkhead {
    /// Those that are taken.
    pub used: usize,
    /// All there are.
    pub limit: usize,
    /// Calls that wait for one.
    pub queued: usize,
    /// The most that may wait.
    pub queue_limit: usize,
}

/// One address of a service.
#[derive(Clone, Debug)]
pub struct EndpointStatus {
    /// The address.
    pub address: SocketAddr,
    /// Whether it takes calls.
    pub standing: Standing,
    /// Connections that are open.
    pub connections: usize,
    /// Calls under way.
    pub in_flight: usize,
    /// How long a call takes; none before the first answer.
    pub latency: Option<Duration>,
    /// What it says of itself: calls under way as a part of those it takes.
    pub utilization: f64,
    /// By method.
    pub circuits: Vec<(&'static str, Circuit)>,
}

/// Whether an endpoint takes calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Ready,
    /// It is being connected to.
    Connecting,
    /// It cannot be connected to, for so long, and why.
    Failing(Duration, String),
}

/// Whether an endpoint is asked for a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    /// It is.
    Closed,
    /// It is left alone for a moment.
    Open,
    /// One call is tried.
    HalfOpen,
}

impl From<State> for Circuit {
    fn from(state: State) -> Self {
        match state {
            State::Closed => Self::Closed,
            State::Open { .. } => Self::Open,
            State::HalfOpen { .. } => Self::HalfOpen,
        }
    }
}

pub(super) fn endpoint(endpoint: &Endpoint, now: Instant) -> EndpointStatus {
    let standing = match endpoint.standing() {
        endpoint::Standing::Ready => Standing::Ready,
        endpoint::Standing::Connecting => Standing::Connecting,
        endpoint::Standing::Failing(since, why) => Standing::Failing(now.saturating_duration_since(since), why),
    };
    let mut circuits: Vec<_> =
        endpoint.circuits.states().into_iter().map(|(method, state)| (method, state.into())).collect();
    circuits.sort_unstable_by_key(|(method, _)| *method);
    EndpointStatus {
        address: endpoint.address,
        standing,
        connections: endpoint.pool.all().iter().filter(|connection| !connection.is_closed()).count(),
        in_flight: endpoint.load.in_flight(),
        latency: endpoint.load.average(now),
        utilization: endpoint.load.utilization(),
        circuits,
    }
}
