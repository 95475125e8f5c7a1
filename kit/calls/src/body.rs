//! The response body of an observed call: watches for the status in the trailers, and ends a
//! stream whose deadline passes or whose server stops.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::body::Body;
use tonic::{Code, Status};

use crate::observe::{Observation, Side, code_of};
use crate::status::{self, Layer};
use crate::{deadline, served};

/// Hands the observation of a call over to the body of its response. A response whose headers
/// carry the status already has no more to it. A stream ends with `UNAVAILABLE` as soon as it has to.
pub fn watch(
    mut response: Response<Body>,
    mut observation: Observation,
    ending: Ending,
    lost: fn(Status) -> Status,
) -> Response<Body> {
    if let Some(code) = code_of(response.headers()) {
        observation.finish(code);
        status::fit(response.headers_mut());
        return response;
    }
    response.map(|inner| Body::new(Watched { inner: Some(inner), alarms: None, ending, observation, lost }))
}

/// How a call ends that is served.
#[derive(Default)]
pub struct Ending {
    /// When it has to, if it is a stream.
    pub until: Option<Until>,
    /// What its server says of its load behind a unary answer, as [`LOAD`] has it.
    pub load: Option<HeaderValue>,
    /// What its caller may have only so many of, held until the answer is written.
    pub _taken: Option<OwnedSemaphorePermit>,
}

/// The trailer with ORCA's report of a server's load (gRFC A51).
pub const LOAD: &str = "endpoint-load-metrics-bin";

/// When a stream that is served has to end before it is over.
pub struct Until {
    /// The server stops.
    pub stop: CancellationToken,
    /// The connection is too old: cancelled with the server's, too.
    pub drain: CancellationToken,
    /// Its place among the streams of its connection, held for as long as it lasts.
    pub _place: OwnedSemaphorePermit,
}

struct Watched {
    /// `None` after the end: dropping it early resets the stream.
    inner: Option<Body>,
    /// Made when the body first has to wait, which the body of a unary response doesn't.
    alarms: Option<Alarms>,
    ending: Ending,
    observation: Observation,
    /// What a failure to read the body means.
    lost: fn(Status) -> Status,
}

/// What wakes a stream to end it.
struct Alarms {
    deadline: Option<Pin<Box<Sleep>>>,
    drain: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

type Item = Option<Result<Frame<Bytes>, Status>>;

impl Watched {
    fn seen(&mut self, item: Item) -> Item {
        match item {
            Some(Ok(mut frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.observation.answers(data);
                }
                if let Some(trailers) = frame.trailers_mut() {
                    status::fit(trailers);
                    if let Some(load) = self.ending.load.take() {
                        trailers.insert(LOAD, load);
                    }
                    self.observation.finish(code_of(trailers).unwrap_or(Code::Unknown));
                }
                Some(Ok(frame))
            }
            Some(Err(status)) => {
                let status = (self.lost)(status);
                self.observation.finish(status.code());
                self.inner = None;
                Some(Err(status))
            }
            None => {
                self.observation.finish(Code::Unknown);
                self.inner = None;
                None
            }
        }
    }

    /// Ends the stream: for the caller in another process by trailers, for a caller here by an error.
    fn end(&mut self, status: Status) -> Result<Frame<Bytes>, Status> {
        self.inner = None;
        self.observation.finish(status.code());
        match self.observation.side() {
            Side::Client => Err(status),
            Side::Server => {
                let mut trailers = HeaderMap::new();
                status.add_header(&mut trailers).map(|()| Frame::trailers(trailers))
            }
        }
    }

    /// Why the stream has to end now; arranges to be woken when that changes.
    fn over(&mut self, cx: &mut Context<'_>) -> Option<Status> {
        let alarms = self.alarms.get_or_insert_with(|| Alarms {
            deadline: self.observation.deadline().map(|end| Box::pin(tokio::time::sleep_until(end))),
            drain: self.ending.until.as_ref().map(|until| Box::pin(until.drain.clone().cancelled_owned())),
        });
        if alarms.deadline.as_mut().is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready()) {
            return Some(deadline::exceeded(self.observation.side()));
        }
        let drained = alarms.drain.as_mut().is_some_and(|drain| drain.as_mut().poll(cx).is_ready());
        drained.then(|| match &self.ending.until {
            Some(until) if !until.stop.is_cancelled() => too_old(),
            _ => shutting_down(),
        })
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Item> {
        let this = self.get_mut();
        // A stream that does not have to wait any more must end in time as well.
        if this.alarms.is_some()
            && let Some(status) = this.over(cx)
        {
            return Poll::Ready(Some(this.end(status)));
        }
        let Some(inner) = this.inner.as_mut() else { return Poll::Ready(None) };
        let deadline = this.observation.deadline();
        let polled = this.observation.in_scope(|| served::sync_within(deadline, || Pin::new(inner).poll_frame(cx)));
        match polled {
            Poll::Ready(item) => Poll::Ready(this.seen(item)),
            Poll::Pending => this.over(cx).map_or(Poll::Pending, |status| Poll::Ready(Some(this.end(status)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

fn too_old() -> Status {
    status::refusal(
        Layer::Drain,
        Code::Unavailable,
        "CONNECTION_TOO_OLD",
        "the connection has served its time; open the stream again",
        [],
    )
}

fn shutting_down() -> Status {
    status::refusal(Layer::Drain, Code::Unavailable, "SHUTTING_DOWN", "the service is shutting down; call again", [])
}
