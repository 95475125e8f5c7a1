//! A channel to one service: observed, bounded in time, repeated where the contract allows it.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use contracts::tables::Method;
use contracts::tradewind::options::v1::RetryClass;
use futures::future::BoxFuture;
use http::{Request, Response};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status, transport};
use tower::{Service, ServiceExt};
use tracing::Instrument;

use super::retry::{self, Budget, Replay};
use crate::observe::{Observation, Side};
use crate::status::Layer;
use crate::{Policy, body, deadline, metrics, status};

/// A connection to one service for clients generated from the contract. Cheap to clone; clones
/// share the connection. A failure to reach the service is `UNAVAILABLE`, an expired deadline `DEADLINE_EXCEEDED`.
/// A stream is not resumed: one whose server stops ends with `UNAVAILABLE` `SHUTTING_DOWN`, and is the caller's to open again.
#[derive(Clone)]
pub struct Channel {
    peer: Arc<str>,
    transport: transport::Channel,
    policy: Policy,
    budget: Arc<Budget>,
    calls: metrics::Peer,
}

impl Channel {
    pub(super) fn new(peer: &str, transport: transport::Channel, policy: Policy) -> Self {
        Self { peer: peer.into(), transport, policy, budget: Arc::default(), calls: metrics::Peer::new(peer) }
    }

    async fn run(
        self,
        request: Request<Body>,
        method: Option<&'static Method>,
        deadline: Option<Instant>,
    ) -> Result<Response<Body>, Status> {
        let failed = |error| unreachable(&self.peer, error);
        let Some(method) = method.filter(|method| !method.request_streams) else {
            return self.attempt(request, deadline).await.map_err(failed);
        };
        let mut replay = Replay::of(request).await?;
        let harmless = match method.retry {
            RetryClass::Safe => true,
            RetryClass::WithRequestId => replay.has_request_id(method.request),
            RetryClass::Never | RetryClass::Unspecified => false,
        };
        if harmless {
            self.budget.deposit();
        }
        loop {
            let began = Instant::now();
            let answer = self.attempt(replay.next(), deadline).await;
            // What took longer than there is left would end without the reason that it has now.
            let is_time = deadline.is_none_or(|deadline| Instant::now() + began.elapsed() < deadline);
            let unsent = answer.as_ref().is_err_and(retry::is_unsent);
            let answer = answer.map_err(failed);
            let again = match retry::code_of(&answer) {
                _ if unsent => replay.anew(),
                code => harmless && is_time && replay.again(code, &self.budget).await,
            };
            if !again {
                return answer;
            }
        }
    }

    /// Sends `request` once, with what is left of its time.
    async fn attempt(
        &self,
        mut request: Request<Body>,
        deadline: Option<Instant>,
    ) -> Result<Response<Body>, transport::Error> {
        if let Some(deadline) = deadline {
            deadline::announce(request.headers_mut(), deadline);
        }
        self.transport.clone().oneshot(request).await
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response<Body>, Status>>;

    /// Always ready: waiting for the connection belongs to the call and its deadline.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        let (label, method) = (self.policy.label(path), self.policy.method(path));
        let timeout = method.map(|method| method.timeout);
        let deadline = deadline::of_call(Instant::now(), timeout, request.headers());
        let mut observation =
            Observation::call(self.calls.method(label), &self.peer, request.headers_mut()).until(deadline);
        let channel = self.clone();
        let span = observation.span().clone();
        let call = async move {
            let answer = deadline::within(deadline, Side::Client, channel.run(request, method, deadline));
            match answer.await.flatten() {
                Ok(response) => Ok(body::watch(response, observation, None, lost)),
                Err(status) => {
                    observation.finish(status.code());
                    Err(status)
                }
            }
        };
        Box::pin(call.instrument(span))
    }
}

/// The status of a call that never got an answer. What the transport calls cancelled or unknown is
/// a connection that was refused or lost.
fn unreachable(peer: &str, error: transport::Error) -> Status {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(next) = cause {
        // The transport reads the `grpc-timeout` that it sends, and may notice first.
        if next.is::<tonic::TimeoutExpired>() {
            return deadline::exceeded(Side::Client);
        }
        causes.push(next.to_string());
        cause = next.source();
    }
    causes.dedup();
    match Status::from_error(Box::new(error)) {
        found if is_of_the_connection(found.code()) => status::refusal(
            Layer::Connect,
            Code::Unavailable,
            "PEER_UNREACHABLE",
            &format!("{peer} cannot be reached: {}", causes.join(": ")),
            [("peer", peer)],
        ),
        found => found,
    }
}

/// The status of a stream whose connection was lost.
fn lost(found: Status) -> Status {
    if is_of_the_connection(found.code()) {
        status::refusal(
            Layer::Connect,
            Code::Unavailable,
            "CONNECTION_LOST",
            &format!("the connection was lost: {}", found.message()),
            [],
        )
    } else {
        found
    }
}

const fn is_of_the_connection(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal)
}
