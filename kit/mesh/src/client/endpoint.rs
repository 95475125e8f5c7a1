//! One address of a peer: its open connections, how it does, and whether it is asked for a method.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http_body::Frame;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::{Code, Status};

use super::breaker::{self, Breaker, Cause, Said, State};
use super::call::{Answer, Call, Content, Failure, Fate};
use super::connection::{Connection, Incoming};
use super::fault;
use super::load::{Load, Took};
use crate::faults::Faults;
use crate::metrics::{self, Ejected};
use crate::observe::code_of;
use crate::report;

/// Calls on each connection before another is opened beside it: what is ready goes out together, and with few connections both ends
/// would take turns instead of working at the same time. HTTP/2 has one lock a connection besides.
const BUSY: usize = 16;
/// Connections to one address, at most.
const CONNECTIONS: usize = 8;
/// So many calls at once may be all that a connection takes: what comes beyond waits for another to be opened, or for one of them to
/// end.
const FULL: usize = 100;
/// A deadline tells something of a server only if there was so much of the time that the contract gives.
const ENOUGH_TIME: u32 = 10;

pub(super) struct Endpoint {
    pub(super) peer: Arc<str>,
    /// Tells it from others of the same peer.
    pub(super) number: usize,
    pub(super) address: SocketAddr,
    pub(super) load: Load,
    connections: ArcSwap<Vec<Arc<Connection>>>,
    /// Why there is no connection, and since when.
    failing: Mutex<Option<(Instant, String)>>,
    breakers: Mutex<HashMap<&'static str, Breaker>>,
    faults: Faults,
    /// Whoever keeps its connections has something to do.
    pub(super) look: Notify,
    /// Told whenever a connection has room, or is new.
    room: Notify,
    /// It is not the peer's any more.
    pub(super) gone: CancellationToken,
}

/// How an endpoint stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Ready,
    Connecting,
    /// Since then, and why.
    Failing(Instant, String),
}

impl Endpoint {
    pub(super) fn new(
        peer: Arc<str>,
        number: usize,
        address: SocketAddr,
        faults: Faults,
        gone: CancellationToken,
    ) -> Self {
        Self {
            peer,
            number,
            address,
            load: Load::new(Instant::now()),
            connections: ArcSwap::default(),
            failing: Mutex::default(),
            breakers: Mutex::default(),
            faults,
            look: Notify::new(),
            room: Notify::new(),
            gone,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.connections.load().iter().any(|connection| !connection.is_closed())
    }

    pub(super) fn standing(&self) -> Standing {
        if self.is_ready() {
            return Standing::Ready;
        }
        let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.clone().map_or(Standing::Connecting, |(since, why)| Standing::Failing(since, why))
    }

    pub(super) fn connections(&self) -> Arc<Vec<Arc<Connection>>> {
        self.connections.load_full()
    }

    /// Puts its connections in place of those before.
    pub(super) fn has(&self, connections: Vec<Arc<Connection>>) {
        if !connections.is_empty() {
            *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = None;
            if !self.is_ready() {
                self.load.begins_anew(Instant::now());
            }
        }
        self.connections.store(Arc::new(connections));
        self.room.notify_waiters();
    }

    /// It could not be connected to.
    pub(super) fn fails(&self, why: String) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let since = failing.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        *failing = Some((since, why));
    }

    /// Whether another connection would be of use.
    pub(super) fn is_busy(&self) -> bool {
        let connections = self.connections.load();
        connections.len() < CONNECTIONS && connections.iter().all(|connection| connection.in_flight() >= BUSY)
    }

    /// Whether its circuit lets a call through.
    pub(super) fn admits(&self, method: &'static str, now: Instant) -> bool {
        let breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        breakers.get(method).is_none_or(|breaker| breaker.admits(now))
    }

    /// Whether its circuit waits for a probe.
    pub(super) fn is_due(&self, method: &'static str, now: Instant) -> bool {
        let breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        breakers.get(method).is_some_and(|breaker| breaker.is_due(now))
    }

    /// Every circuit that was used, by method.
    pub(super) fn circuits(&self) -> Vec<(&'static str, breaker::State)> {
        let breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        breakers.iter().map(|(method, breaker)| (*method, breaker.state())).collect()
    }

    fn breaker<T>(&self, method: &'static str, then: impl FnOnce(&mut Breaker, Instant) -> T) -> T {
        let now = Instant::now();
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        then(breakers.entry(method).or_insert_with(|| Breaker::new(now)), now)
    }

    /// The least busy of its connections, and whether there may soon be one that is less so.
    fn least_busy(&self) -> Option<(Arc<Connection>, bool)> {
        let connections = self.connections.load();
        let open = connections.iter().filter(|connection| !connection.is_closed());
        let connection = open.min_by_key(|connection| connection.in_flight())?;
        let grows = connections.len() < CONNECTIONS && connection.in_flight() >= BUSY;
        if grows {
            self.look.notify_one();
        }
        Some((connection.clone(), grows && connection.in_flight() >= FULL))
    }

    /// A connection for a call.
    async fn connection(&self) -> Option<Arc<Connection>> {
        loop {
            // Listens before it looks, so that nothing is missed in between.
            let room = self.room.notified();
            let (connection, is_full) = self.least_busy()?;
            if !is_full {
                return Some(connection);
            }
            room.await;
        }
    }

    /// Sends a call over the least busy of its connections.
    pub(super) async fn send(self: &Arc<Self>, call: Call) -> Result<Answer, Failure> {
        let Some(connection) = self.connection().await else {
            let status = Status::unavailable("the connection was closed");
            return Err(Failure { status, fate: Fate::Unsent, endpoint: Some(self.number) });
        };
        let mut under_way = UnderWay::begin(self.clone(), connection, &call);
        let sent = fault::send(&self.faults, &self.peer, self.address, &under_way.connection, call);
        match sent.await {
            Ok((answer, None)) => {
                if let Content::Whole { message, .. } = &answer.content {
                    under_way.received = message.len() as u64;
                }
                under_way.end(answer.code().unwrap_or(Code::Unknown), answer.last());
                Ok(answer)
            }
            Ok((mut answer, Some(incoming))) => {
                under_way.begun();
                let watched = Watched { incoming, under_way: Some(under_way) };
                answer.content = Content::Stream(Body::new(watched));
                Ok(answer)
            }
            Err(mut failure) => {
                failure.endpoint = Some(self.number);
                match failure.fate {
                    Fate::Unsent => {
                        self.look.notify_one();
                        under_way.broke(failure.status.code());
                    }
                    // Whoever refuses must not look idle and quick.
                    Fate::Refused => under_way.refused(),
                    Fate::Kept | Fate::Unknown => under_way.broke(failure.status.code()),
                }
                Err(failure)
            }
        }
    }
}

/// A call at an endpoint, from its first byte to its last. If it is dropped before, its caller has gone away.
struct UnderWay {
    endpoint: Arc<Endpoint>,
    connection: Arc<Connection>,
    label: &'static str,
    measured: Arc<metrics::Method>,
    sent: u64,
    received: u64,
    began: Instant,
    deadline: Option<Instant>,
    had_time: bool,
    streams: bool,
    /// By it the circuit learns whether to close.
    is_probe: bool,
    over: bool,
}

impl UnderWay {
    fn begin(endpoint: Arc<Endpoint>, connection: Arc<Connection>, call: &Call) -> Self {
        let began = Instant::now();
        let enough = call.method.map_or(Duration::ZERO, |method| method.timeout / ENOUGH_TIME);
        let had_time = call.deadline.is_none_or(|deadline| deadline >= began + enough);
        connection.enter();
        endpoint.load.enter();
        let is_probe = endpoint.breaker(call.label, Breaker::enter);
        let streams = call.answer_streams();
        let (label, deadline, measured, sent) = (call.label, call.deadline, call.measured.clone(), call.size());
        measured.started();
        Self {
            endpoint,
            connection,
            label,
            measured,
            sent,
            received: 0,
            began,
            deadline,
            had_time,
            streams,
            is_probe,
            over: false,
        }
    }

    /// Learns from how it ended; `last` are the headers that say so.
    fn end(mut self, code: Code, last: Option<&http::HeaderMap>) {
        if let Some(last) = last {
            // Whoever has little to do says nothing.
            self.endpoint.load.reported(report::utilization(last).unwrap_or(0.0));
        }
        let time = self.began.elapsed();
        let said = breaker::said(code, self.had_time);
        // How long a stream lasts says nothing of its server.
        let took = match (said, code) {
            (Said::Well, _) if self.streams => Took::Abandoned(Duration::ZERO),
            (Said::Well, _) => Took::Answered(time),
            // A caller without time says nothing of the server.
            (_, Code::Cancelled) | (Said::Nothing, Code::DeadlineExceeded) => Took::Abandoned(time),
            _ => Took::Failed(time),
        };
        self.close(code, said, took);
    }

    /// A stream has begun, which is all that is asked of a probe: who ends it, and when, says nothing of its server.
    fn begun(&mut self) {
        if !std::mem::take(&mut self.is_probe) {
            return;
        }
        let is_well_again = self.endpoint.breaker(self.label, |breaker, now| {
            breaker.leave(Said::Well, true, now);
            breaker.state() == State::Closed
        });
        if is_well_again {
            self.endpoint.load.begins_anew(Instant::now());
        }
    }

    /// A stream that had begun is over. How long it lasted says nothing of its server, nor that it was drained.
    fn end_of_stream(mut self, code: Code) {
        let said = if code == Code::Unavailable { Said::Nothing } else { breaker::said(code, false) };
        self.close(code, said, Took::Abandoned(Duration::ZERO));
    }

    /// Its connection broke, with all that was on it: that there is none tells enough.
    fn broke(mut self, code: Code) {
        self.close(code, Said::Nothing, Took::Abandoned(Duration::ZERO));
    }

    fn refused(mut self) {
        let time = self.began.elapsed();
        self.close(Code::Unavailable, Said::Nothing, Took::Failed(time));
    }

    fn close(&mut self, code: Code, said: Said, took: Took) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.measured.ended(code, self.began.elapsed(), self.sent, self.received);
        if self.connection.leave() >= FULL {
            self.endpoint.room.notify_one();
        }
        self.endpoint.load.leave(took, Instant::now());
        let (opened, is_well_again) = self.endpoint.breaker(self.label, |breaker, now| {
            let before = breaker.state();
            (breaker.leave(said, self.is_probe, now), before != State::Closed && breaker.state() == State::Closed)
        });
        if is_well_again {
            self.endpoint.load.begins_anew(Instant::now());
        }
        if let Some(cause) = opened {
            let (why, ejected) = match cause {
                Cause::InARow => ("failures in a row", Ejected::InARow),
                Cause::Rate => ("half of its calls fail", Ejected::Rate),
                Cause::Probe => ("the probe failed", Ejected::Probe),
            };
            metrics::ejected(&self.endpoint.peer, self.label, ejected, true);
            let (peer, address) = (&*self.endpoint.peer, self.endpoint.address);
            tracing::warn!(peer, %address, method = self.label, why, "endpoint left alone for a moment");
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let time = if self.streams { Duration::ZERO } else { self.began.elapsed() };
        if !self.streams && self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let said = breaker::said(Code::DeadlineExceeded, self.had_time);
            let took = if said == Said::Nothing { Took::Abandoned(time) } else { Took::Failed(time) };
            self.close(Code::DeadlineExceeded, said, took);
        } else {
            self.close(Code::Cancelled, Said::Nothing, Took::Abandoned(time));
        }
    }
}

/// The body of a stream, by whose end its endpoint learns.
struct Watched {
    incoming: Incoming,
    under_way: Option<UnderWay>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = self.incoming.poll_frame(cx);
        if let (Poll::Ready(Some(Ok(frame))), Some(under_way)) = (&polled, &mut self.under_way) {
            under_way.received += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        let code = match &polled {
            Poll::Ready(Some(Ok(frame))) => frame.trailers_ref().map(|last| code_of(last).unwrap_or(Code::Unknown)),
            Poll::Ready(Some(Err(status))) => Some(status.code()),
            Poll::Ready(None) => Some(Code::Unknown),
            Poll::Pending => None,
        };
        if let Some(code) = code
            && let Some(under_way) = self.under_way.take()
        {
            under_way.end_of_stream(code);
        }
        polled
    }
}
