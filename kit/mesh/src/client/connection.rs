//! One HTTP/2 connection to one endpoint: sends a call and reads its answer. Knows for certain which calls were never begun.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::client::{Builder, SendRequest};
use h2::{Ping, PingPong, Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, response};
use http_body::{Body as _, Frame};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::{Code, Status};

use super::call::{Answer, Call, Content, Failure, Fate, Payload, ending};
use crate::gather::Gather;
use crate::observe::code_of;
use crate::status::{self, Layer};

/// The most bytes of a unary answer, whatever a client is ready to take: its own limit is lower, if it sets none 4 MiB.
const LARGEST: usize = 64 << 20;
/// How much a server may send ahead of what was read: of one answer, and of all.
const WINDOW: u32 = 256 << 10;
/// So much that those who read slowly don't take the room of those who don't: as many streams as a server lets be, and some more.
const WINDOWS: u32 = 64 << 20;
/// Calls at once before the server has said how many it takes: it counts those it refuses against the connection.
const FIRST_STREAMS: usize = 100;
/// Calls that were given up whose answers may still come; what comes for others is held against the connection.
const GIVEN_UP: usize = 1_024;
/// The most bytes of headers or trailers that are read.
const HEADERS: u32 = 64 << 10;
/// An idle connection is asked so often whether it still is one.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// What a connection is made over.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection that is open, or was.
pub(super) struct Connection {
    sender: SendRequest<Bytes>,
    in_flight: AtomicUsize,
    closed: AtomicBool,
    /// Which of our certificates it was opened with.
    pub(super) generation: u64,
}

/// What has to run for a connection to work; it ends with the connection, and tells why in gRPC's words (A94).
pub(super) type Driver = Pin<Box<dyn Future<Output = &'static str> + Send>>;

impl Connection {
    /// Speaks HTTP/2 over what was opened for it.
    pub(super) async fn over(io: Box<dyn Io>, generation: u64) -> Result<(Self, Driver), h2::Error> {
        let mut builder = Builder::new();
        builder
            .enable_push(false)
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOWS)
            .initial_max_send_streams(FIRST_STREAMS)
            .max_concurrent_reset_streams(GIVEN_UP)
            .max_header_list_size(HEADERS);
        let (sender, mut connection) = builder.handshake(io).await?;
        let pings = connection.ping_pong();
        let driver = Box::pin(async move {
            let (mut gather, mut connection) = (Gather::default(), pin!(connection));
            tokio::select! {
                ended = poll_fn(|cx| gather.poll(connection.as_mut(), cx)) => match ended {
                    Ok(()) => "GOAWAY NO_ERROR",
                    Err(error) if error.is_go_away() => "GOAWAY",
                    Err(error) if error.is_io() => "connection reset",
                    Err(_) => "unknown",
                },
                () = unanswered(pings) => "connection timed out",
            }
        });
        let connection = Self { sender, in_flight: AtomicUsize::new(0), closed: AtomicBool::new(false), generation };
        Ok((connection, driver))
    }

    /// Calls under way.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether it takes no more calls.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Counts a call until it is over.
    pub(super) fn enter(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Sends a call. A unary answer is read whole; of a stream, what follows its headers is left to be read.
    pub(super) async fn send(&self, call: Box<Call>) -> Result<(Answer, Option<Incoming>), Failure> {
        let streams = call.answer_streams();
        let mut sender = self.sender.clone();
        let over = |error: h2::Error| {
            self.close();
            failure(&error, Fate::Unsent)
        };
        poll_fn(|cx| sender.poll_ready(cx)).await.map_err(over)?;
        let (response, mut stream) = match sender.send_request(Request::from_parts(call.head, ()), false) {
            Ok(begun) => begun,
            Err(error) if error.is_go_away() || error.is_io() => return Err(over(error)),
            Err(error) => return Err(Failure::kept(unsendable(&error))),
        };
        let mut wanted = None;
        match call.payload {
            // Fails where the stream is over already; the response tells how.
            Payload::Whole(message) => drop(stream.send_data(message, true)),
            Payload::Stream(body) => {
                let body = body.into_inner().unwrap_or_else(PoisonError::into_inner);
                let (wants, unwanted) = oneshot::channel();
                wanted = Some(wants);
                tokio::spawn(pump(body, stream, unwanted));
            }
        }
        let (head, mut body) = response.await.map_err(|error| lost(&error))?.into_parts();
        if let Some(code) = code_of(&head.headers) {
            return Ok((whole(head, code, Bytes::new(), None), None));
        }
        if streams {
            let answer = Answer { head, content: Content::Stream(Body::empty()), held: None };
            return Ok((answer, Some(Incoming { body, _wanted: wanted })));
        }
        let message = read(&mut body).await?;
        let trailers = body.trailers().await.map_err(|error| broken(&error))?;
        let code = ending(&head, trailers.as_ref());
        Ok((whole(head, code, message, trailers), None))
    }
}

const fn whole(head: response::Parts, code: Code, message: Bytes, trailers: Option<HeaderMap>) -> Answer {
    Answer { head, content: Content::Whole { code, message, trailers }, held: None }
}

/// All that comes before the trailers.
async fn read(body: &mut RecvStream) -> Result<Bytes, Failure> {
    let mut all = BytesMut::new();
    let mut first = None;
    while let Some(data) = body.data().await {
        let data = data.map_err(|error| broken(&error))?;
        // Fails when the stream is closed, which its next frame tells.
        let _ = body.flow_control().release_capacity(data.len());
        if all.len() + data.len() > LARGEST {
            return Err(Failure::unknown(too_large()));
        }
        match first.take() {
            None if all.is_empty() => first = Some(data),
            before => {
                all.extend_from_slice(&before.unwrap_or_default());
                all.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}

/// Sends a request that comes as it comes. Whoever no longer wants the answer ends this, too.
async fn pump(mut body: Body, mut stream: SendStream<Bytes>, mut unwanted: oneshot::Receiver<()>) {
    loop {
        let frame = tokio::select! {
            frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)) => frame,
            _ = poll_fn(|cx| stream.poll_reset(cx)) => return,
            _ = &mut unwanted => return stream.send_reset(Reason::CANCEL),
        };
        let sent = match frame {
            None => {
                // The stream may be closed already.
                let _ = stream.send_data(Bytes::new(), true);
                return;
            }
            Some(Err(_)) => return stream.send_reset(Reason::CANCEL),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => flow(&mut stream, data).await,
                Err(_) => continue,
            },
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Sends as much as the other side has room for, and waits for more room.
async fn flow(stream: &mut SendStream<Bytes>, mut data: Bytes) -> Result<(), h2::Error> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        match poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(room) => {
                let room = room?.min(data.len());
                stream.send_data(data.split_to(room), false)?;
            }
            None => return Err(Reason::CANCEL.into()),
        }
    }
    Ok(())
}

/// Ends when the other side no longer answers.
async fn unanswered(pings: Option<PingPong>) {
    let Some(mut pings) = pings else { return std::future::pending().await };
    loop {
        tokio::time::sleep(PING_INTERVAL).await;
        match tokio::time::timeout(PING_TIMEOUT, pings.ping(Ping::opaque())).await {
            Ok(Ok(_)) => {}
            // The connection ends, and says so itself.
            Ok(Err(_)) => std::future::pending().await,
            Err(_) => return,
        }
    }
}

/// The messages of a stream, and its end.
pub(super) struct Incoming {
    body: RecvStream,
    /// Ends the sending of a request that comes as it comes.
    _wanted: Option<oneshot::Sender<()>>,
}

impl Incoming {
    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(data) = ready!(self.body.poll_data(cx)) {
            let data = data.map_err(|error| broken(&error).status)?;
            let _ = self.body.flow_control().release_capacity(data.len());
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let trailers = ready!(self.body.poll_trailers(cx)).map_err(|error| broken(&error).status)?;
        Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
    }
}

/// What a broken stream or connection means for a call that was given to it.
fn lost(error: &h2::Error) -> Failure {
    // Of a GOAWAY only those hear that the server has not begun.
    let refused = error.is_remote() && (error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM));
    failure(error, if refused { Fate::Refused } else { broken_fate(error) })
}

/// The same once the answer has begun: then so has the server.
fn broken(error: &h2::Error) -> Failure {
    failure(error, broken_fate(error))
}

fn broken_fate(error: &h2::Error) -> Fate {
    if error.is_io() || error.is_go_away() { Fate::Lost } else { Fate::Unknown }
}

/// Headers that HTTP/2 doesn't have, for one.
fn unsendable(error: &h2::Error) -> Status {
    let message = format!("the request cannot be sent: {error}");
    status::refusal(Layer::Connect, Code::Internal, "REQUEST_UNSENDABLE", &message, [])
}

fn failure(error: &h2::Error, fate: Fate) -> Failure {
    let message = format!("the connection was lost: {error}");
    let code = match error.reason() {
        Some(Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
        Some(Reason::INADEQUATE_SECURITY) => Code::PermissionDenied,
        // What we will not take of this answer, such as its headers.
        Some(_) if error.is_reset() && error.is_library() => Code::Internal,
        _ => Code::Unavailable,
    };
    let status = status::refusal(Layer::Connect, code, "CONNECTION_LOST", &message, []);
    Failure { status, fate, endpoint: None }
}

fn too_large() -> Status {
    let most = LARGEST.to_string();
    let message = "the answer is larger than any may be";
    status::refusal(Layer::Answer, Code::ResourceExhausted, "ANSWER_TOO_LARGE", message, [("limit", most.as_str())])
}
