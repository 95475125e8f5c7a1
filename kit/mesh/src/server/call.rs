//! What every call passes on its way to a handler, a layer after another, and its answer on the way back.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};

use super::audit::Audit;
use super::authorize::authorize;
use super::handle::Handlers;
use super::identify::Caller;
use super::shed::Shed;
use super::streams::Streams;
use crate::body::Until;
use crate::observe::{Observation, Side, code_of};
use crate::served::Served;
use crate::{Policy, body, deadline, served};

/// Stands before the handlers of a server.
pub(super) struct Gate {
    policy: Policy,
    shed: Shed,
    handlers: Handlers,
    audit: Audit,
    stop: CancellationToken,
}

impl Gate {
    /// Streams end when `stop` is cancelled; a unary call is finished.
    pub(super) fn new(policy: Policy, context: String, routes: Routes, stop: CancellationToken) -> Self {
        Self {
            policy,
            shed: Shed::default(),
            handlers: Handlers::new(context, routes),
            audit: Audit::new(Instant::now()),
            stop,
        }
    }

    /// Answers one call and observes it; whatever goes wrong is a gRPC status.
    pub(super) async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        caller: Caller,
        streams: Streams,
    ) -> Result<Response<Body>, Infallible> {
        let path = request.uri().path();
        let now = Instant::now();
        let deadline = deadline::of_call(now, self.policy.timeout(path), request.headers());
        let observation = Observation::serve(self.policy.label(path), &caller.peer, request.headers()).until(deadline);
        let passed = observation.within(self.pass(request, &caller, &streams, &observation, now)).await;
        let (response, until) = passed.unwrap_or_else(|refused| {
            observation.in_scope(|| self.audit.tell(&refused));
            (refused.into_http(), None)
        });
        Ok(body::watch(response, observation, until, |lost| lost))
    }

    /// The layers. Who may not call takes nothing from those who may, and what is over is not begun.
    async fn pass(
        &self,
        mut request: Request<Incoming>,
        caller: &Caller,
        streams: &Streams,
        observation: &Observation,
        now: Instant,
    ) -> Result<(Response<Body>, Option<Until>), Status> {
        let (path, end) = (request.uri().path(), observation.deadline());
        let peer = caller.identify(now)?;
        authorize(&self.policy, &self.audit, self.handlers.context(), path, peer)?;
        deadline::begin(end, now, Side::Server)?;
        let until = self.policy.streams(path).then(|| streams.open(&self.stop)).transpose()?;
        let method = self.policy.method(path);
        let _place = match method.filter(|_| until.is_none()) {
            Some(method) => Some(self.shed.take(method.criticality)?),
            None => None,
        };

        if let Some(method) = method {
            request.extensions_mut().insert(method);
        }
        request.extensions_mut().insert(peer.clone());
        let served = Served::new(end, request.headers());
        let handled = served.scope(self.handlers.handle(&self.policy, request, observation));
        let (response, is_spent) = deadline::within(end, Side::Server, handled).await?;
        let mut response = response?;
        if is_spent && code_of(response.headers()) == Some(Code::Unavailable) {
            response.headers_mut().insert(served::PUSHBACK, served::NEVER);
        }
        Ok((response, until))
    }
}
