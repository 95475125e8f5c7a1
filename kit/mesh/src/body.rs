//! The response body of an observed call: watches for the status in the trailers, and ends a
//! stream whose deadline passes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use tonic::body::Body;
use tonic::{Code, Status};

use crate::deadline;
use crate::observe::{Observation, Side, code_of};

/// Hands the observation of a call over to the body of its response. A response whose headers
/// carry the status already has no more to it.
pub(crate) fn watch(
    response: Response<Body>,
    mut observation: Observation,
    lost: fn(Status) -> Status,
) -> Response<Body> {
    if let Some(code) = code_of(response.headers()) {
        observation.finish(code);
        return response;
    }
    response.map(|inner| Body::new(Watched { inner: Some(inner), sleep: None, observation, lost }))
}

struct Watched {
    /// `None` after the end: dropping it early resets the stream.
    inner: Option<Body>,
    /// Made when the body first has to wait, which the body of a unary response doesn't.
    sleep: Option<Pin<Box<Sleep>>>,
    observation: Observation,
    /// What a failure to read the body means.
    lost: fn(Status) -> Status,
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
    fn expire(&mut self) -> Item {
        self.inner = None;
        self.observation.finish(Code::DeadlineExceeded);
        let side = self.observation.side();
        let status = deadline::exceeded(side.name());
        Some(match side {
            Side::Client => Err(status),
            Side::Server => {
                let mut trailers = HeaderMap::new();
                status.add_header(&mut trailers).map(|()| Frame::trailers(trailers))
            }
        })
    }

    fn expired(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.observation.deadline() else { return false };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        sleep.as_mut().poll(cx).is_ready()
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Item> {
        let this = self.get_mut();
        let Some(inner) = this.inner.as_mut() else { return Poll::Ready(None) };
        let deadline = this.observation.deadline();
        // A stream that never has to wait must end in time as well.
        if this.sleep.is_some() && deadline.is_some_and(|end| Instant::now() >= end) {
            return Poll::Ready(this.expire());
        }
        let polled =
            this.observation.span().in_scope(|| deadline::sync_scope(deadline, || Pin::new(inner).poll_frame(cx)));
        match polled {
            Poll::Ready(item) => Poll::Ready(this.seen(item)),
            Poll::Pending if this.expired(cx) => Poll::Ready(this.expire()),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}
