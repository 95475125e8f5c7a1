//! gRPC and gRPC-Web: passed through as it is, but for what nobody outside may say or hear.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method as Http, Request, Response, StatusCode, Version};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};
use tradewind_calls::body::LOAD;
use tradewind_calls::{deadline, message};

use crate::answer::{Content, Watch};
use crate::arriving::Arriving;
use crate::framing;
use crate::framing::ENCODING;
use crate::metadata::INSIDE;
use crate::reading::{self, HEAD, LARGEST};
use crate::refused::{Refused, outward, refusal_of};
use crate::state::{Limit, State};
use crate::unary;
use crate::web::Web;
use crate::who::{self, Caller};

/// What a caller may say beside a message.
const ACCEPTED: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// The longest time that gRPC can write.
const LONGEST_TIME: usize = 9;

/// Passes a call on, and its answer back.
///
/// # Errors
/// Why it has no answer.
pub(crate) async fn answer(
    state: &State,
    request: Request<Arriving>,
    web: Option<Web>,
    from: IpAddr,
    watch: &mut Watch,
) -> Result<Response<Content>, Refused> {
    let (head, body) = request.into_parts();
    let Some(method) = state.methods.called(head.uri.path()) else {
        state.limits.stray(from, &mut watch.pass)?;
        return Err(framing::no_method().into());
    };
    watch.of(method);
    state.limits.arrive(method.class, from, &mut watch.pass)?;
    let signed_in = state.who.user(method.audience, &head.headers).await?;
    let user = signed_in.as_ref().map(|found| found.user.clone());
    state.limits.identify(method.class, user.as_deref(), &mut watch.pass)?;
    who::admit(method.audience, user.as_deref())?;
    let mut headers = passed(&head.headers);
    let ending = Ending { web, until: deadline::asked(&headers).map(|time| Instant::now() + time) };
    state.metadata.pass(&head.headers, &mut headers);
    let (request, _held) = if method.takes_streams() && web != Some(Web::Text) {
        (unary::request(&method.path, headers, Body::new(body)), None)
    } else {
        let (body, mut held) = reading::whole(body, HEAD + LARGEST, watch.asked()).await?;
        let body = web.map_or_else(|| Ok(body.clone()), |web| web.read(body.clone()))?;
        // Here, where it is counted: whoever needs it plain would unpack it further in.
        let body = if method.takes_streams() {
            body
        } else {
            framing::is_one(&headers, &body)?;
            message::unpack(&mut headers, body)?
        };
        held.grow(body.len()).await?;
        (unary::request(&method.path, headers, Body::new(Full::new(body))), Some(held))
    };
    watch.expects().await?;
    let answered = method.call(request, Caller { user, address: from }).await;
    let (mut head, mut body) = answered.map_err(|status| ending.timed(status))?.into_parts();
    ending.told(&mut head.headers);
    // Of what the service said; what is said here may be longer.
    head.headers.remove(CONTENT_LENGTH);
    if let Some(web) = web {
        head.headers.insert(CONTENT_TYPE, web.content_type());
    }
    let content = match () {
        () if body.is_end_stream() => Content::Whole(Bytes::new()),
        () if method.streams() => {
            let limit = Limit::new(&state.stop, state.who.belief(signed_in.as_ref()));
            watch.streams(limit.clone().reached());
            Content::Stream(Box::pin(Passing::new(body, ending, limit)))
        }
        () => passed_back(&mut body, ending).await,
    };
    Ok(Response::from_parts(head, content))
}

/// Whether a call is one that can be passed on.
///
/// # Errors
/// The HTTP status of one that is not.
pub(crate) fn is_call<B>(request: &Request<B>, web: Option<Web>) -> Result<(), StatusCode> {
    let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let known: [&[u8]; 2] = match web {
        None => [b"application/grpc", b"application/grpc+proto"],
        Some(Web::Binary) => [b"application/grpc-web", b"application/grpc-web+proto"],
        Some(Web::Text) => [b"application/grpc-web-text", b"application/grpc-web-text+proto"],
    };
    match () {
        () if request.method() != Http::POST => Err(StatusCode::METHOD_NOT_ALLOWED),
        () if !known.contains(&kind) => Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        // There are no trailers that a client of HTTP/1.1 would be sure to read.
        () if web.is_none() && request.version() < Version::HTTP_2 => Err(StatusCode::HTTP_VERSION_NOT_SUPPORTED),
        () => Ok(()),
    }
}

/// The answer to what is no call.
pub(crate) fn no_call(status: StatusCode) -> Response<Content> {
    let mut response = Response::new(Content::Whole(Bytes::new()));
    *response.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// A refusal, as gRPC has it.
pub(crate) fn refused(refused: Refused, web: Option<Web>) -> Response<Content> {
    let mut response = refused.status.into_http::<Bytes>().map(Content::Whole);
    if let Some(web) = web {
        response.headers_mut().insert(CONTENT_TYPE, web.content_type());
    }
    response
}

fn passed(headers: &HeaderMap) -> HeaderMap {
    let mut passed = HeaderMap::with_capacity(8);
    if let Some(time) = headers.get(deadline::HEADER).filter(|time| time.len() <= LONGEST_TIME) {
        passed.insert(deadline::HEADER, time.clone());
    }
    if let Some(encoding) = headers.get(&ENCODING) {
        passed.insert(ENCODING, encoding.clone());
    }
    if message::takes_gzip(headers) {
        passed.insert(ACCEPTED, HeaderValue::from_static("gzip"));
    }
    passed
}

/// Without what services say to each other alone.
fn inside_out(headers: &mut HeaderMap) {
    headers.remove(LOAD);
    headers.remove(DATE);
    let inside: Vec<_> = headers.keys().filter(|name| name.as_str().starts_with(INSIDE)).cloned().collect();
    for name in inside {
        headers.remove(name);
    }
}

/// The answer to a unary call, which is in memory already.
async fn passed_back(body: &mut Body, ending: Ending) -> Content {
    let (mut first, mut more, mut trailers) = (Bytes::new(), BytesMut::new(), HeaderMap::new());
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) if first.is_empty() => first = data,
            Ok(Ok(data)) => more.extend_from_slice(&data),
            Ok(Err(frame)) => trailers = frame.into_trailers().unwrap_or_default(),
            Err(status) => trailers = trailers_of(&ending.timed(outward(status))),
        }
    }
    ending.told(&mut trailers);
    let whole = if more.is_empty() { first } else { [first, more.freeze()].concat().into() };
    match ending.web {
        None => Content::WithTrailers(whole, trailers),
        Some(web) => Content::Whole([web.write(whole), web.end(&trailers)].concat().into()),
    }
}

/// How the end of a call is told.
#[derive(Clone, Copy)]
struct Ending {
    web: Option<Web>,
    /// Until when whoever calls waits, if he has said so.
    until: Option<Instant>,
}

impl Ending {
    /// A deadline that has passed is told by its code alone to whoever has set one: it ends the call on both sides at once, and he has
    /// to hear the same of either. A call that somebody further in has given up behind it was given up because of it.
    fn timed(self, status: Status) -> Status {
        let is_over = |until| until <= Instant::now();
        match status.code() {
            Code::DeadlineExceeded if self.until.is_some() => Status::deadline_exceeded(status.message()),
            Code::Cancelled if self.until.is_some_and(is_over) => Status::deadline_exceeded("the deadline has passed"),
            _ => status,
        }
    }

    /// The same of what a service has said, which says nothing that is for services alone.
    fn told(self, headers: &mut HeaderMap) {
        inside_out(headers);
        if self.until.is_some() && headers.get("grpc-status").is_some_and(|code| code == "4") {
            headers.remove("grpc-status-details-bin");
        }
    }
}

fn trailers_of(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        trailers.insert("grpc-status", HeaderValue::from(i32::from(Code::Internal)));
    }
    trailers
}

/// A stream of messages on its way back.
struct Passing {
    /// None once it is over.
    body: Option<Body>,
    ending: Ending,
    limit: Limit,
    reached: BoxFuture<'static, Status>,
}

impl Passing {
    fn new(body: Body, ending: Ending, limit: Limit) -> Self {
        let reached = limit.clone().reached().boxed();
        Self { body: Some(body), ending, limit, reached }
    }

    fn end(&mut self, mut trailers: HeaderMap) -> Frame<Bytes> {
        self.body = None;
        self.ending.told(&mut trailers);
        match self.ending.web {
            None => Frame::trailers(trailers),
            Some(web) => Frame::data(web.end(&trailers)),
        }
    }
}

impl http_body::Body for Passing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        let frame = match Pin::new(body).poll_frame(cx) {
            Poll::Pending => match self.reached.poll_unpin(cx) {
                Poll::Ready(why) => self.end(trailers_of(&why)),
                Poll::Pending => return Poll::Pending,
            },
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(_) if let Some(why) = self.limit.why_over() => self.end(trailers_of(&why)),
                Ok(data) => Frame::data(self.ending.web.map_or_else(|| data.clone(), |web| web.write(data.clone()))),
                Err(frame) => self.end(frame.into_trailers().unwrap_or_default()),
            },
            Poll::Ready(Some(Err(status))) => {
                let told = self.ending.timed(outward(status));
                self.end(trailers_of(&told))
            }
            Poll::Ready(None) => {
                let cut = refusal_of(Code::Internal, "ANSWER_CUT_SHORT", "the answer has no end");
                self.end(trailers_of(&cut))
            }
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }
}
