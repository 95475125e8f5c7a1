//! The response body of an observed call: watches for the status in the trailers, and ends a
//! stream whose deadline passes or whose server stops.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::body::Body;
use tonic::{Code, Status};

use crate::observe::{Observation, Side, code_of};
use crate::{deadline, status};

/// Hands the observation of a call over to the body of its response. A response whose headers
/// carry the status already has no more to it. A stream that is given `stop` ends with `UNAVAILABLE` as soon as it is cancelled.
pub(crate) fn watch(
    response: Response<Body>,
    mut observation: Observation,
    stop: Option<CancellationToken>,
    lost: fn(Status) -> Status,
) -> Response<Body> {
    if let Some(code) = code_of(response.headers()) {
        observation.finish(code);
        return response;
    }
    response.map(|inner| Body::new(Watched { inner: Some(inner), alarms: None, stop, observation, lost }))
}

struct Watched {
    /// `None` after the end: dropping it early resets the stream.
    inner: Option<Body>,
    /// Made when the body first has to wait, which the body of a unary response doesn't.
    alarms: Option<Alarms>,
    stop: Option<CancellationToken>,
    observation: Observation,
    /// What a failure to read the body means.
    lost: fn(Status) -> Status,
}

/// What wakes a stream to end it.
struct Alarms {
    deadline: Option<Pin<Box<Sleep>>>,
    stop: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

type Item = Option<Result<Frame<Bytes>, Status>>;

impl Watched {
    fn seen(&mut self, item: Item) -> Item {
        match item {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
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
    fn end(&mut self, status: Status) -> Item {
        self.inner = None;
        self.observation.finish(status.code());
        Some(match self.observation.side() {
            Side::Client => Err(status),
            Side::Server => {
                let mut trailers = HeaderMap::new();
                status.add_header(&mut trailers).map(|()| Frame::trailers(trailers))
            }
        })
    }

    /// Why the stream has to end now; arranges to be woken when that changes.
    fn over(&mut self, cx: &mut Context<'_>) -> Option<Status> {
        let alarms = self.alarms.get_or_insert_with(|| Alarms {
            deadline: self.observation.deadline().map(|end| Box::pin(tokio::time::sleep_until(end))),
            stop: self.stop.take().map(|stop| Box::pin(stop.cancelled_owned())),
        });
        if alarms.deadline.as_mut().is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready()) {
            return Some(deadline::exceeded(self.observation.side().name()));
        }
        let stopped = alarms.stop.as_mut().is_some_and(|stop| stop.as_mut().poll(cx).is_ready());
        stopped.then(shutting_down)
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
            return Poll::Ready(this.end(status));
        }
        let Some(inner) = this.inner.as_mut() else { return Poll::Ready(None) };
        let deadline = this.observation.deadline();
        let polled =
            this.observation.span().in_scope(|| deadline::sync_scope(deadline, || Pin::new(inner).poll_frame(cx)));
        match polled {
            Poll::Ready(item) => Poll::Ready(this.seen(item)),
            Poll::Pending => this.over(cx).map_or(Poll::Pending, |status| Poll::Ready(this.end(status))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

fn shutting_down() -> Status {
    status::refusal(Code::Unavailable, "SHUTTING_DOWN", "the service is shutting down; call again", [])
}
