//! What every call passes on its way to a handler, a layer after another, and its answer on the way back.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::{Code, Status};
use tradewind_admission::{Load, Rates, Shed};

use super::audit::Audit;
use super::authorize::authorize;
use super::fault;
use super::handle::Handlers;
use super::identify::Caller;
use super::streams::Streams;
use super::user::{self, Users};
use crate::body::Ending;
use crate::faults::Faults;
use crate::message::{self, Asked, Room};
use crate::named::named;
use crate::observe::{Observation, Side, code_of};
use crate::served::Served;
use crate::{Policy, body, deadline, report, served};

/// From so much of what it can do on, a server says behind each answer how much it has to do.
const WORTH_SAYING: f64 = 0.125;

/// Stands before the handlers of a server.
pub(super) struct Gate {
    policy: Policy,
    rates: Rates,
    users: Users,
    room: Room,
    shed: Arc<Shed>,
    faults: Faults,
    handlers: Handlers,
    audit: Audit,
    stop: CancellationToken,
}

impl Gate {
    /// Streams end when `stop` is cancelled; a unary call is finished.
    pub(super) fn new(
        policy: Policy,
        rates: Rates,
        users: Users,
        shed: Arc<Shed>,
        faults: Faults,
        handlers: Handlers,
        stop: CancellationToken,
    ) -> Self {
        Self {
            policy,
            rates,
            users,
            room: Room::default(),
            shed,
            faults,
            handlers,
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
        let (response, ending) = passed.unwrap_or_else(|refused| {
            observation.in_scope(|| self.audit.tell(&refused));
            (refused.into_http(), Ending::default())
        });
        Ok(body::watch(response, observation, ending, |lost| lost))
    }

    /// The layers. Who may not call takes nothing from those who may, what is over is not begun, and whoever sends slowly takes no
    /// place from those whose request is here.
    async fn pass(
        &self,
        mut request: Request<Incoming>,
        caller: &Caller,
        streams: &Streams,
        observation: &Observation,
        now: Instant,
    ) -> Result<(Response<Body>, Ending), Status> {
        let end = observation.deadline();
        let (brought, path) = (user::taken(request.headers_mut()), request.uri().path());
        let peer = caller.identify(now)?;
        authorize(&self.policy, &self.audit, self.handlers.context(), path, peer)?;
        deadline::begin(end, now, Side::Server)?;
        let method = self.policy.method(path);
        fault::put_in(&self.faults, method, end).await?;
        let _taken = method.map(|_| self.rates.take(peer.id.name(), now)).transpose()?.flatten();
        let user = self.users.known(method, peer, brought)?;
        if let Some(user) = &user {
            observation.is_for(&user.id);
        }
        let form = self.policy.form(path);
        let until = self.policy.streams(path).then(|| streams.open(&self.stop)).transpose()?;

        let served = Served::new(end, request.headers());
        // In a box: whoever limits and watches it would hold it twice each.
        let handled = served.scope(Box::pin(async {
            let (mut request, _room) = message::admit(request, form, &self.room).await?;
            observation.asked(request.body().size());
            method.map_or(Ok(()), |method| named(method, request.body()))?;
            let place = match method.filter(|_| until.is_none()) {
                Some(method) => Some(self.shed.take(method).await?),
                None => None,
            };
            if let (Some(user), Some(method)) = (user, method) {
                if let Err(refused) = self.users.owns(&user, method, request.body_mut()).await {
                    // What is refused tells nothing of how quick the server is.
                    place.map(|place| place.answered(false));
                    return Err(refused);
                }
                request.extensions_mut().insert(user);
            }
            let mut request = request.map(Asked::into_body);
            request.extensions_mut().insert(peer.clone());
            if let Some(method) = method {
                request.extensions_mut().insert(method);
            }
            let response = self.handlers.handle(&self.policy, request).await?;
            let load = place.map(|place| place.answered(code_of(response.headers()).is_none()));
            Ok::<_, Status>((response, load))
        }));
        let (handled, is_spent) = deadline::within(end, Side::Server, handled).await?;
        let (mut response, load) = handled?;
        if is_spent && code_of(response.headers()) == Some(Code::Unavailable) {
            response.headers_mut().insert(served::PUSHBACK, HeaderValue::from_static(served::NEVER));
        }
        let load = load.map(Load::utilization).filter(|load| *load >= WORTH_SAYING).and_then(report::of);
        Ok((response, Ending { until, load, _taken }))
    }
}
