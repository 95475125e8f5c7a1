//! One address of a peer: its open connections, how it does, and whether it is asked for a method.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::{Code, Status};

use super::breaker::{self, Breaker, Cause, Said, State};
use super::call::{Answer, Call, Content, Failure, Fate};
use super::circuits::Circuits;
use super::connection::{Connection, Incoming};
use super::fault;
use super::load::{Load, Took};
use super::pool::Pool;
use crate::faults::Faults;
use crate::metrics::{self, Ejected};
use crate::observe::code_of;
use crate::report;

pub(super) struct Endpoint {
    pub(super) peer: Arc<str>,
    /// Tells it from others of the same peer.
    pub(super) number: usize,
    pub(super) address: SocketAddr,
    pub(super) load: Load,
    pub(super) pool: Pool,
    pub(super) circuits: Circuits,
    /// Why there is no connection, and since when.
    failing: Mutex<Option<(Instant, String)>>,
    faults: Faults,
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
            pool: Pool::default(),
            circuits: Circuits::default(),
            failing: Mutex::default(),
            faults,
            gone,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.pool.is_ready()
    }

    pub(super) fn standing(&self) -> Standing {
        if self.is_ready() {
            return Standing::Ready;
        }
        let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.clone().map_or(Standing::Connecting, |(since, why)| Standing::Failing(since, why))
    }

    /// Puts its connections in place of those before.
    pub(super) fn has(&self, connections: Vec<Arc<Connection>>) {
        if !connections.is_empty() {
            *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = None;
            if !self.is_ready() {
                self.load.begins_anew(Instant::now());
            }
        }
        self.pool.has(connections);
    }

    /// It could not be connected to.
    pub(super) fn fails(&self, why: String) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let since = failing.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        *failing = Some((since, why));
    }

    /// Sends a call over the least busy of its connections.
    pub(super) async fn send(self: &Arc<Self>, call: Box<Call>) -> Result<Answer, Failure> {
        let Some(connection) = self.pool.take().await else {
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
                        self.pool.look.notify_one();
                        under_way.broke(failure.status.code());
                    }
                    // Whoever refuses must not look idle and quick.
                    Fate::Refused => under_way.refused(),
                    Fate::Kept | Fate::Lost | Fate::Unknown => under_way.broke(failure.status.code()),
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
        let had_time = call.has_time(began);
        connection.enter();
        endpoint.load.enter();
        let is_probe = endpoint.circuits.with(call.label, Breaker::enter);
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
        // Whoever has little to do says nothing behind an answer. A refusal says nothing of it either way.
        if let (Code::Ok, Some(last)) = (code, last) {
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
        let is_well_again = self.endpoint.circuits.with(self.label, |breaker, now| {
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
        self.endpoint.pool.left(&self.connection);
        self.endpoint.load.leave(took, Instant::now());
        let (opened, is_well_again) = self.endpoint.circuits.with(self.label, |breaker, now| {
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
