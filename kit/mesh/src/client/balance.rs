//! Which endpoint is asked: the cheaper of two taken at random (the power of two choices, Mitzenmacher 2001), of those that are
//! connected and whose circuit is closed. Waits a moment where there is none.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use contracts::tradewind::options::v1::RetryClass;
use tokio::time::Instant;
use tonic::Code;

use super::call::{Answer, Call, Failure, Sends};
use super::endpoint::Endpoint;
use super::peer::Peer;
use crate::status::{self, Layer};

/// For how long a peer that cannot be reached is waited for, so that the time between two connections is not seen.
const PATIENCE: Duration = Duration::from_millis(250);
/// When fewer than one in so many endpoints are left, it is more likely that what they all need is away than that each is ill:
/// circuits are overlooked.
const PANIC: usize = 3;

/// The layer above the endpoints.
pub(super) struct Balance {
    peer: Arc<Peer>,
}

impl Balance {
    pub(super) const fn over(peer: Arc<Peer>) -> Self {
        Self { peer }
    }

    /// The endpoint for a call, as soon as there is one.
    async fn pick(&self, call: &Call) -> Result<Arc<Endpoint>, Failure> {
        loop {
            // Listens before it looks, so that nothing is missed in between.
            let changed = match self.choose(call) {
                Choice::Ask(endpoint) => return Ok(endpoint),
                Choice::Nobody => self.peer.changed.notified(),
                Choice::Open => return Err(self.left_alone(call)),
            };
            match self.choose(call) {
                Choice::Ask(endpoint) => return Ok(endpoint),
                Choice::Open => return Err(self.left_alone(call)),
                Choice::Nobody => {}
            }
            match self.peer.hope() {
                Ok(()) => changed.await,
                Err((since, why)) => {
                    let until = since + PATIENCE;
                    if Instant::now() >= until || tokio::time::timeout_at(until, changed).await.is_err() {
                        return Err(self.unreachable(&why));
                    }
                }
            }
        }
    }

    fn choose(&self, call: &Call) -> Choice {
        let endpoints = self.peer.endpoints();
        let now = Instant::now();
        // Most peers are one address.
        if let [only] = &endpoints[..] {
            return match only.is_ready() {
                false => Choice::Nobody,
                true if only.circuits.admits(call.label, now) => Choice::Ask(only.clone()),
                true => Choice::Open,
            };
        }
        let ready: Vec<_> = endpoints.iter().filter(|endpoint| endpoint.is_ready()).collect();
        let well: Vec<_> = ready.iter().copied().filter(|endpoint| endpoint.circuits.admits(call.label, now)).collect();
        // A probe is made of a call that can be repeated elsewhere, and not left to chance.
        let can_be = call.method.is_some_and(|method| {
            matches!(method.retry, RetryClass::Safe | RetryClass::WithRequestId) && !method.response_streams
        });
        let is_due =
            |endpoint: &Endpoint| endpoint.circuits.is_due(call.label, now) && Some(endpoint.number) != call.avoid;
        if let Some(due) = well.iter().find(|endpoint| can_be && is_due(endpoint)) {
            return Choice::Ask((*due).clone());
        }
        let panics = ready.len() > 1 && well.len() * PANIC < ready.len();
        let among = if panics { &ready } else { &well };
        let others: Vec<_> = among.iter().copied().filter(|endpoint| Some(endpoint.number) != call.avoid).collect();
        let among = if others.is_empty() { among } else { &others };
        match among[..] {
            [] if ready.is_empty() => Choice::Nobody,
            [] => Choice::Open,
            [only] => Choice::Ask(only.clone()),
            _ => {
                let first = fastrand::usize(..among.len());
                let second = (first + fastrand::usize(1..among.len())) % among.len();
                let (first, second) = (among[first], among[second]);
                Choice::Ask(if first.load.cost(now) <= second.load.cost(now) { first } else { second }.clone())
            }
        }
    }

    fn unreachable(&self, why: &str) -> Failure {
        let peer = &*self.peer.name;
        let message = format!("{peer} cannot be reached: {why}");
        Failure::kept(status::refusal(
            Layer::Connect,
            Code::Unavailable,
            "PEER_UNREACHABLE",
            &message,
            [("peer", peer)],
        ))
    }

    fn left_alone(&self, call: &Call) -> Failure {
        let peer = &*self.peer.name;
        let message = format!("{peer} has failed so often that it is left alone for a moment");
        let facts = [("peer", peer), ("method", call.label)];
        Failure::kept(status::refusal(Layer::Breaker, Code::Unavailable, "CIRCUIT_OPEN", &message, facts))
    }
}

enum Choice {
    Ask(Arc<Endpoint>),
    /// No endpoint is connected.
    Nobody,
    /// Those that are, are left alone.
    Open,
}

impl Sends for Balance {
    async fn send(&self, call: Box<Call>) -> Result<Answer, Failure> {
        let endpoint = self.pick(&call).await?;
        if let Some(asked) = &call.asked {
            asked.store(endpoint.number, Ordering::Relaxed);
        }
        endpoint.send(call).await
    }
}
