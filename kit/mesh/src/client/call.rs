//! A call on its way to a peer, and what comes of it.

use std::pin::Pin;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use contracts::tables::Method;
use http::request::Parts;
use http::{HeaderMap, Request, Response, response};
use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

use crate::observe::code_of;
use crate::{metrics, sizes};

/// A deadline tells something of a server only if there was so much of the time that the contract gives; of one that was asked for
/// outside, only if there was all but so much.
const ENOUGH_TIME: u32 = 10;

/// One layer of a client, and all that lie beneath it.
pub(super) trait Sends: Send + Sync + 'static {
    /// Sends a call, and waits for its answer: of a unary call the whole, of a stream its beginning.
    fn send(&self, call: Box<Call>) -> impl Future<Output = Result<Answer, Failure>> + Send;
}

/// A call, as the layers hand it down: in a box, for each of them keeps it while those beneath do their work.
pub(super) struct Call {
    /// What the contract says of it.
    pub(super) method: Option<&'static Method>,
    /// The name under which it is known.
    pub(super) label: &'static str,
    pub(super) measured: Arc<metrics::Method>,
    pub(super) deadline: Option<Instant>,
    pub(super) head: Parts,
    pub(super) payload: Payload,
    /// The number of an endpoint that is not to be asked if there is another.
    pub(super) avoid: Option<usize>,
    /// Where the number of the one that is asked is put, for whoever wants to ask another.
    pub(super) asked: Option<Arc<AtomicUsize>>,
}

/// Beside a request: its deadline is the choice of somebody outside. That it passes says nothing of the server, unless there was almost
/// as much time as the contract gives.
#[derive(Clone, Copy, Debug)]
pub struct AskedDeadline;

/// What is sent behind the headers.
pub(super) enum Payload {
    /// The one message of a unary request, framed.
    Whole(Bytes),
    /// What comes as it comes, and only once. In a lock for want of `Sync` alone.
    Stream(Mutex<Body>),
}

impl Call {
    pub(super) fn new(
        request: Request<Body>,
        label: &'static str,
        measured: Arc<metrics::Method>,
        method: Option<&'static Method>,
    ) -> Box<Self> {
        let (head, body) = request.into_parts();
        Box::new(Self {
            method,
            label,
            measured,
            deadline: None,
            head,
            payload: Payload::Stream(Mutex::new(body)),
            avoid: None,
            asked: None,
        })
    }

    /// The same once more. Of a stream, what has been sent is gone.
    pub(super) fn again(&self) -> Box<Self> {
        let payload = match &self.payload {
            Payload::Whole(message) => Payload::Whole(message.clone()),
            Payload::Stream(_) => Payload::Stream(Mutex::default()),
        };
        let Self { method, label, ref measured, deadline, ref head, avoid, .. } = *self;
        let (measured, head) = (measured.clone(), head.clone());
        Box::new(Self { method, label, measured, deadline, head, payload, avoid, asked: None })
    }

    /// Bytes of its message, if there is one alone.
    pub(super) fn size(&self) -> u64 {
        match &self.payload {
            Payload::Whole(message) => message.len().saturating_sub(sizes::HEAD) as u64,
            Payload::Stream(_) => 0,
        }
    }

    /// Whether a deadline that passes tells something of the server, if the call begins now.
    pub(super) fn has_time(&self, now: Instant) -> bool {
        let given = self.method.map_or(Duration::ZERO, |method| method.timeout);
        let is_asked = self.head.extensions.get::<AskedDeadline>().is_some();
        let enough = if is_asked { given - given / ENOUGH_TIME } else { given / ENOUGH_TIME };
        self.deadline.is_none_or(|deadline| deadline >= now + enough)
    }

    /// Whether its answer is a stream, or may be.
    pub(super) fn answer_streams(&self) -> bool {
        self.method.is_none_or(|method| method.response_streams)
    }
}

/// What a peer has answered.
pub(super) struct Answer {
    pub(super) head: response::Parts,
    pub(super) content: Content,
    /// What is given back when the answer is over.
    pub(super) held: Option<OwnedSemaphorePermit>,
}

pub(super) enum Content {
    /// All there is, and how the call has ended.
    Whole { code: Code, message: Bytes, trailers: Option<HeaderMap> },
    /// The rest comes.
    Stream(Body),
}

impl Answer {
    /// How the call has ended; none while it goes on.
    pub(super) const fn code(&self) -> Option<Code> {
        match self.content {
            Content::Whole { code, .. } => Some(code),
            Content::Stream(_) => None,
        }
    }

    /// The headers or trailers that hold the status; none while the call goes on.
    pub(super) const fn last(&self) -> Option<&HeaderMap> {
        match &self.content {
            Content::Whole { trailers: Some(trailers), .. } => Some(trailers),
            Content::Whole { trailers: None, .. } => Some(&self.head.headers),
            Content::Stream(_) => None,
        }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let body = match self.content {
            Content::Whole { trailers: None, message, .. } if message.is_empty() => Body::empty(),
            Content::Whole { message, trailers, .. } => Body::new(Whole { message, trailers }),
            Content::Stream(body) => match self.held {
                Some(held) => Body::new(Held { body, _held: held }),
                None => body,
            },
        };
        Response::from_parts(self.head, body)
    }
}

/// A call that has no answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: Status,
    pub(super) fate: Fate,
    /// The number of the endpoint that was asked.
    pub(super) endpoint: Option<usize>,
}

/// What became of a request without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nobody was asked; to ask at once again would end the same.
    Kept,
    /// It never left: the connection took no more calls.
    Unsent,
    /// The server says that it has not begun.
    Refused,
    /// The connection broke under it, and under all others on it. It may have been carried out.
    Lost,
    /// It may have been carried out.
    Unknown,
}

impl Failure {
    pub(super) const fn kept(status: Status) -> Self {
        Self { status, fate: Fate::Kept, endpoint: None }
    }

    pub(super) const fn unknown(status: Status) -> Self {
        Self { status, fate: Fate::Unknown, endpoint: None }
    }
}

/// How a call ended, as far as it has.
pub(super) fn code(outcome: &Result<Answer, Failure>) -> Option<Code> {
    match outcome {
        Ok(answer) => answer.code(),
        Err(failure) => Some(failure.status.code()),
    }
}

/// The status that headers or trailers hold. Where there is none, somebody in between has answered: his HTTP status is read
/// as gRPC's documents say.
pub(super) fn ending(head: &response::Parts, last: Option<&HeaderMap>) -> Code {
    if let Some(code) = last.and_then(code_of).or_else(|| code_of(&head.headers)) {
        return code;
    }
    match head.status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        // Too many headers are the caller's fault.
        431 => Code::ResourceExhausted,
        _ => Code::Unknown,
    }
}

/// The body of an answer that is here already.
struct Whole {
    message: Bytes,
    trailers: Option<HeaderMap>,
}

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = match (self.message.is_empty(), self.trailers.take()) {
            (true, trailers) => trailers.map(|trailers| Ok(Frame::trailers(trailers))),
            (false, trailers) => {
                self.trailers = trailers;
                Some(Ok(Frame::data(std::mem::take(&mut self.message))))
            }
        };
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.message.len() as u64)
    }
}

/// A body that holds a place until it is over.
struct Held {
    body: Body,
    _held: OwnedSemaphorePermit,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_of_somebody_outside_tells_nothing_unless_it_is_all_but_what_the_contract_gives() {
        let method = contracts::CONTRACT.methods.first().unwrap();
        let has_time = |is_asked: bool, tenths: u32| {
            let mut request = Request::new(Body::empty());
            if is_asked {
                request.extensions_mut().insert(AskedDeadline);
            }
            let mut call = Call::new(request, "any", metrics::Peer::new("any").method("any"), Some(method));
            call.deadline = Some(Instant::now() + method.timeout / 10 * tenths);
            call.has_time(Instant::now())
        };
        assert_eq!([has_time(false, 0), has_time(false, 1)], [false, true]);
        assert_eq!([has_time(true, 1), has_time(true, 8), has_time(true, 9)], [false, false, true]);
    }
}
