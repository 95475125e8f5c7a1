//! What every call passes on its way to a handler, and its answer on the way back.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::ServiceExt;

use super::load::Load;
use super::{Peer, message};
use crate::body::Until;
use crate::observe::{Observation, Side, code_of};
use crate::policy::Verdict;
use crate::served::Served;
use crate::status::Layer;
use crate::{Policy, body, deadline, served, status};

/// The streams of one connection: so few that calls find room beside them, and over before the connection is.
#[derive(Clone)]
pub(super) struct Streams {
    places: Arc<Semaphore>,
    drain: CancellationToken,
}

impl Streams {
    /// At most `most` at once, which end when `drain` is cancelled.
    pub(super) fn new(most: usize, drain: CancellationToken) -> Self {
        Self { places: Arc::new(Semaphore::new(most)), drain }
    }

    fn open(&self, stop: &CancellationToken) -> Result<Until, Status> {
        let full = |_| {
            let text = "the connection carries as many streams as it may; open another, or end one";
            status::refusal(Layer::Streams, Code::ResourceExhausted, "TOO_MANY_STREAMS", text, [])
        };
        let place = self.places.clone().try_acquire_owned().map_err(full)?;
        Ok(Until { stop: stop.clone(), drain: self.drain.clone(), _place: place })
    }
}

/// Stands before the handlers: observes, asks the policy, bounds the time.
pub(super) struct Gate {
    policy: Policy,
    context: String,
    routes: Routes,
    load: Load,
    stop: CancellationToken,
}

impl Gate {
    /// Streams end when `stop` is cancelled; a unary call is finished.
    pub(super) fn new(policy: Policy, context: String, routes: Routes, stop: CancellationToken) -> Self {
        Self { policy, context, routes: routes.prepare(), load: Load::default(), stop }
    }

    /// Answers one call; whatever goes wrong is a gRPC status.
    pub(super) async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Arc<Peer>,
        connection: Streams,
    ) -> Result<Response<Body>, Infallible> {
        let path = request.uri().path();
        let deadline = deadline::of_call(Instant::now(), self.policy.timeout(path), request.headers());
        let observation = Observation::serve(self.policy.label(path), &peer, request.headers()).until(deadline);
        let admitted = observation.within(self.admit(request, peer, &connection, &observation)).await;
        let (response, until) = admitted.unwrap_or_else(|refused| (refused.into_http(), None));
        Ok(body::watch(response, observation, until, |lost| lost))
    }

    /// Asks the policy first, so that whoever may not call takes nothing from those who may.
    async fn admit(
        &self,
        mut request: Request<Incoming>,
        peer: Arc<Peer>,
        connection: &Streams,
        observation: &Observation,
    ) -> Result<(Response<Body>, Option<Until>), Status> {
        let path = request.uri().path();
        self.authorize(path, &peer)?;
        let until = self.policy.streams(path).then(|| connection.open(&self.stop)).transpose()?;
        let method = self.policy.method(path);
        let _place = match method.filter(|_| until.is_none()) {
            Some(method) => Some(self.load.take(method.criticality)?),
            None => None,
        };
        if let Some(method) = method {
            request.extensions_mut().insert(method);
        }
        request.extensions_mut().insert(peer);
        let served = Served::new(observation.deadline(), request.headers());
        let serving = served.scope(self.answer(request, observation));
        let (response, is_spent) = deadline::within(observation.deadline(), Side::Server, serving).await?;
        let mut response = response?;
        if is_spent && code_of(response.headers()) == Some(Code::Unavailable) {
            response.headers_mut().insert(served::PUSHBACK, served::NEVER);
        }
        Ok((response, until))
    }

    async fn answer(&self, request: Request<Incoming>, observation: &Observation) -> Result<Response<Body>, Status> {
        let path = request.uri().path();
        let packs = !self.policy.streams(path) && message::takes_gzip(request.headers());
        let request = match self.policy.form(path) {
            Some(form) => {
                let request = message::admit(request, form).await?;
                observation.asked(request.body());
                request
            }
            None => request.map(Body::new),
        };
        let response = match AssertUnwindSafe(self.routes.clone().oneshot(request)).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => return Err(status(tradewind_domain::Error::internal("a handler panicked"))),
        };
        if packs { message::pack(response).await } else { Ok(response) }
    }

    fn authorize(&self, path: &str, peer: &Peer) -> Result<(), Status> {
        let caller = peer.id.name();
        match self.policy.judge(&self.context, path, caller) {
            Verdict::Allowed => Ok(()),
            Verdict::Denied => {
                tracing::warn!(caller, method = path, "call refused: the contract does not name this caller");
                Err(status::refusal(
                    Layer::Authorize,
                    Code::PermissionDenied,
                    "CALLER_NOT_ALLOWED",
                    "the contract does not allow this workload to call this method",
                    [("caller", caller), ("method", path)],
                ))
            }
            // Answered here and not by the handlers, so that nothing is served that has no policy.
            Verdict::Unknown => Err(status::refusal(
                Layer::Authorize,
                Code::Unimplemented,
                "METHOD_UNKNOWN",
                "the contract has no such method",
                [],
            )),
        }
    }
}
