//! The way of a call to a peer, one layer after the other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::header::USER_AGENT;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tower::Service;
use tradewind_tokens::User;

use super::balance::Balance;
use super::behalf::Behalf;
use super::budget::Budget;
use super::bulkhead::{Bulkhead, Places};
use super::call::{Answer, Call, Content, Failure, Payload, Sends};
use super::endpoint::Standing;
use super::name::Name;
use super::peer::Peer;
use super::retry::Retry;
use super::status::{self, PeerStatus};
use crate::body::Ending;
use crate::observe::{Observation, Side};
use crate::{Policy, body, deadline, metrics};

const AGENT: HeaderValue = HeaderValue::from_static(concat!("grpc-rust-tradewind/", env!("CARGO_PKG_VERSION")));

/// Calls of one service, for clients generated from the contract. Cheap to clone; clones share everything.
///
/// A call is observed, gets its deadline and its name, waits for its place, is repeated where the contract allows it, and goes to
/// the endpoint that does best. A failure to reach the service is `UNAVAILABLE`, an expired deadline `DEADLINE_EXCEEDED`. A stream
/// is not resumed: one whose server stops ends with `UNAVAILABLE` `SHUTTING_DOWN`, and is the caller's to open again.
#[derive(Clone)]
pub struct Channel {
    inner: Arc<Inner>,
    user: Option<Arc<User>>,
}

struct Inner {
    peer: Arc<Peer>,
    policy: Policy,
    authority: Authority,
    stack: Stack,
    places: Arc<Places>,
    budget: Arc<Budget>,
    calls: metrics::Peer,
    behalf: Behalf,
}

impl Inner {
    /// What there is to see of the peer.
    fn now(&self) -> metrics::PeerNow {
        let mut endpoints = BTreeMap::from([("ready", 0), ("connecting", 0), ("failing", 0)]);
        let mut circuits = BTreeMap::from([("closed", 0), ("open", 0), ("half_open", 0)]);
        for endpoint in self.peer.known().iter() {
            let standing = match endpoint.standing() {
                Standing::Ready => "ready",
                Standing::Connecting => "connecting",
                Standing::Failing(..) => "failing",
            };
            *endpoints.entry(standing).or_default() += 1;
            for (_, state) in endpoint.circuits.states() {
                *circuits.entry(state.label()).or_default() += 1;
            }
        }
        let (calls, queued) = self.places.used();
        metrics::PeerNow {
            endpoints: endpoints.into_iter().collect(),
            circuits: circuits.into_iter().collect(),
            bulkhead: vec![("under_way", calls as u64), ("waiting", queued as u64)],
            budget: u64::from(self.budget.left()),
        }
    }
}

/// What is between a caller and the endpoints, outermost first.
type Stack = Name<Bulkhead<Retry<Balance>>>;

fn stack(peer: &Arc<Peer>, places: &Arc<Places>, budget: &Arc<Budget>) -> Stack {
    let balance = Balance::over(peer.clone());
    let retry = Retry::over(balance, peer.clone(), budget.clone());
    let bulkhead = Bulkhead::over(retry, places.clone());
    Name::over(bulkhead)
}

impl Channel {
    pub(super) fn new(peer: Arc<Peer>, authority: Authority, policy: Policy, behalf: Behalf) -> Self {
        let (places, budget) = (Arc::default(), Arc::default());
        let stack = stack(&peer, &places, &budget);
        let calls = metrics::Peer::new(&peer.name);
        let inner = Arc::new(Inner { peer, policy, authority, stack, places, budget, calls, behalf });
        let watched = Arc::downgrade(&inner);
        metrics::watch_peer(&inner.peer.name, move || watched.upgrade().map(|inner| inner.now()));
        Self { inner, user: None }
    }

    /// The same channel for calls that are made for `user`, which it says with each of them, signed with this workload's key. Services
    /// believe it of those at the edge alone.
    #[must_use]
    pub fn speaking_for(&self, user: Arc<User>) -> Self {
        Self { inner: self.inner.clone(), user: Some(user) }
    }

    /// How the peer stands at the moment.
    pub(super) fn status(&self) -> PeerStatus {
        let (now, Inner { peer, places, budget, calls: measured, .. }) = (Instant::now(), &*self.inner);
        let [calls, streams] = places.status();
        PeerStatus {
            peer: peer.name.to_string(),
            calls,
            streams,
            retries: (budget.left(), Budget::most()),
            endpoints: peer.known().iter().map(|endpoint| status::endpoint(endpoint, now)).collect(),
            traffic: measured.traffic(),
            unknown: peer.unknown().map(|(since, why)| (now.saturating_duration_since(since), why)),
        }
    }

    /// Sends the request, and gives the call up when its deadline is over.
    async fn run(&self, mut call: Box<Call>) -> Result<Answer, Failure> {
        let has_one_message = call.method.is_some_and(|method| !method.request_streams);
        if let (true, Payload::Stream(body)) = (has_one_message, &mut call.payload) {
            // It is in memory already; this only joins its frames.
            let body = body.get_mut().map(std::mem::take).unwrap_or_default();
            call.payload = Payload::Whole(whole(body).await?);
        }
        match call.deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, self.inner.stack.send(call))
                .await
                .unwrap_or_else(|_| Err(Failure::unknown(deadline::exceeded(Side::Client)))),
            None => self.inner.stack.send(call).await,
        }
    }
}

/// The one message of a request.
async fn whole(mut body: Body) -> Result<Bytes, Failure> {
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Failure::kept)?.into_data() else { continue };
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response<Body>, Status>>;

    /// Always ready: waiting for the connection belongs to the call and its deadline.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        let method = self.inner.policy.method(path);
        let label = method.map_or_else(|| self.inner.policy.label(path), |method| method.path);
        let (measured, streams) = (self.inner.calls.method(label), self.inner.policy.streams(path));
        let mut call = Call::new(request, label, measured.clone(), method);
        call.head.uri = self.uri(&call.head.uri);
        call.head.headers.insert(USER_AGENT, AGENT);
        call.deadline =
            deadline::of_call(Instant::now(), self.inner.policy.timeout(call.head.uri.path()), &call.head.headers);
        let mut observation = Observation::call(measured, &self.inner.peer.name, &mut call.head.headers)
            .until(call.deadline)
            .streaming(streams);
        let said = self.inner.behalf.say(self.user.as_deref(), &mut call.head.headers, &self.inner.peer.name);
        let channel = self.clone();
        let part = observation.part().clone();
        let calling = async move {
            let ran = match said {
                Ok(()) => channel.run(call).await,
                Err(unsaid) => Err(Failure::kept(unsaid)),
            };
            match ran {
                Ok(answer) => {
                    if let Content::Whole { code, .. } = answer.content {
                        observation.finish(code);
                        return Ok(answer.into_response());
                    }
                    Ok(body::watch(answer.into_response(), observation, Ending::default(), |lost| lost))
                }
                Err(failure) => {
                    observation.finish(failure.status.code());
                    Err(failure.status)
                }
            }
        };
        Box::pin(part.around(calling))
    }
}

impl Channel {
    fn uri(&self, asked: &Uri) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTPS);
        parts.authority = Some(self.inner.authority.clone());
        parts.path_and_query = asked.path_and_query().cloned();
        // All three parts are there.
        Uri::from_parts(parts).unwrap_or_default()
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("peer", &self.inner.peer.name).finish_non_exhaustive()
    }
}
