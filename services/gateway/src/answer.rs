//! The body of an answer, and what is known of its request until the last byte has left.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use http_body::{Frame, SizeHint};
use opentelemetry::KeyValue;
use tokio_util::task::AbortOnDropHandle;
use tradewind_telemetry::{Part, names};

use crate::crowd::{Asked, Held, Of, Waits};
use crate::limits::Pass;
use crate::methods::Method;
use crate::metrics::{Measured, UnderWay};
use crate::refused::{Refused, given_up};
use crate::usual::Expected;

/// What is sent behind the headers.
pub(crate) enum Content {
    /// Nothing; or all of it, in memory.
    Whole(Bytes),
    /// All of it, and trailers.
    WithTrailers(Bytes, HeaderMap),
    /// What comes as it comes.
    Stream(Pin<Box<dyn http_body::Body<Data = Bytes, Error = Infallible> + Send>>),
}

/// What is handed over of an answer at a time: whoever reads slowly makes no more than that be buffered beside it.
const PART: usize = 16 << 10;
/// Whoever takes long to read more than this loses his connection.
const LARGE: usize = 64 << 10;
/// Of the room for answers, this part may be expected of one method.
const EXPECTED: usize = 4;
/// What a request takes beside what it says.
const REQUEST: usize = 12 << 10;

fn part(bytes: &mut Bytes) -> Bytes {
    bytes.split_to(PART.min(bytes.len()))
}

impl Content {
    /// The same without what there is of it, for whoever asks only what would be said of it.
    pub(crate) fn unsaid(response: Response<Self>) -> Response<Self> {
        let (mut head, content) = response.into_parts();
        if !matches!(content, Self::Stream(_)) && content.bytes() > 0 {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(content.bytes()));
        }
        Response::from_parts(head, Self::Whole(Bytes::new()))
    }

    /// The bytes that are in memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Whole(bytes) | Self::WithTrailers(bytes, _) => bytes.len(),
            Self::Stream(_) => 0,
        }
    }
}

/// In which protocol something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Rest,
    Grpc,
    GrpcWeb,
}

impl Method {
    fn measured(&self, protocol: Protocol) -> &Measured {
        match protocol {
            Protocol::Rest => &self.rest,
            Protocol::Grpc => &self.grpc,
            Protocol::GrpcWeb => &self.web,
        }
    }
}

/// One request, from its headers to the last byte of its answer.
pub(crate) struct Watch {
    began: Instant,
    protocol: Protocol,
    method: Option<Arc<Method>>,
    status: StatusCode,
    head: Option<Held>,
    held: Option<Held>,
    expected: Option<Expected>,
    /// What it was granted.
    pub(crate) pass: Pass,
    /// Ends the connection of whoever does not read what he has asked for.
    late: Option<AbortOnDropHandle<()>>,
    is_answered: bool,
    /// What it is in its trace, and the method of HTTP.
    told: Option<(&'static str, Part)>,
    _under_way: UnderWay,
    asked: Asked,
}

impl Watch {
    pub(crate) fn begin(protocol: Protocol, asked: Asked) -> Self {
        // Whoever goes away before there is an answer has given it up.
        let (began, status) = (Instant::now(), given_up());
        let _under_way = UnderWay::begin();
        Self {
            began,
            protocol,
            method: None,
            status,
            head: None,
            held: None,
            expected: None,
            pass: Pass::default(),
            late: None,
            is_answered: false,
            told: None,
            _under_way,
            asked,
        }
    }

    /// It is this part of a trace, until the last byte has left.
    pub(crate) fn is_told_in(&mut self, method: &'static str, part: &Part) {
        self.told = Some((method, part.clone()));
    }

    /// It is for this method.
    pub(crate) fn of(&mut self, method: &Arc<Method>) {
        self.method = Some(method.clone());
    }

    /// What it is for, by the name that its log has.
    pub(crate) fn name(&self) -> &str {
        self.method.as_ref().map_or("unknown", |method| method.path.as_str())
    }

    /// The request itself.
    pub(crate) const fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Holds what is said before its body.
    ///
    /// # Errors
    /// Where there is no room for it.
    pub(crate) async fn enters(&mut self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        let said = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
        let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
        let mut head = Held::none(&self.asked, Of::Requests);
        head.grow(REQUEST + path + said).await?;
        self.head = Some(head);
        Ok(())
    }

    /// Expects as much as answers of its method usually take: what nobody has room for is not asked for.
    ///
    /// # Errors
    /// Where too much is expected of the method already.
    pub(crate) async fn expects(&mut self) -> Result<(), Refused> {
        let Some(method) = &self.method else { return Ok(()) };
        self.expected = Some(method.usual.clone().expect(self.asked.room(Of::Answers) / EXPECTED).await?);
        Ok(())
    }

    /// Holds so many bytes that are answered for as long as whoever asked may take to read it. They are there already.
    pub(crate) fn holds(&mut self, bytes: usize, status: StatusCode) {
        self.expected = None;
        if bytes > 0 {
            if let Some(method) = self.method.as_ref().filter(|_| status.is_success()) {
                method.usual.saw(bytes);
            }
            let mut held = Held::none(&self.asked, Of::Answers);
            held.become_of(bytes);
            self.held = Some(held);
            self.asked.waits(Waits::Read);
        }
        if bytes > LARGE {
            self.is_read_after(std::future::ready(()));
        }
    }

    /// A stream is answered, and goes on until `reached`. Nothing asks what ends it where nobody reads it.
    pub(crate) fn streams(&mut self, reached: impl Future<Output: Send> + Send + 'static) {
        if let Some(head) = &mut self.head {
            head.become_of(REQUEST);
        }
        self.is_read_after(reached);
    }

    fn is_read_after(&mut self, ready: impl Future<Output: Send> + Send + 'static) {
        if !self.asked.is_by_proxy() {
            self.late = Some(AbortOnDropHandle::new(tokio::spawn(self.asked.late(ready))));
        }
    }

    /// It is answered so.
    pub(crate) fn answered(mut self, response: Response<Content>) -> Response<Sent> {
        self.status = response.status();
        self.is_answered = true;
        response.map(|content| Sent { content, watch: self })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        use std::sync::LazyLock;
        static UNKNOWN: LazyLock<Measured> = LazyLock::new(|| Measured::new("rest", "unknown"));
        let measured = self.method.as_ref().map_or(&*UNKNOWN, |method| method.measured(self.protocol));
        let part = self.told.as_ref().map(|(_, part)| part);
        measured.ended(self.status, self.began.elapsed(), part);
        if let Some((method, part)) = &self.told {
            part.is_called(|| format!("{method} {}", measured.route()).into());
            part.says(|| KeyValue::new(names::HTTP_ROUTE, measured.route()));
            part.says(|| KeyValue::new(names::HTTP_RESPONSE_STATUS_CODE, i64::from(self.status.as_u16())));
            if self.status.is_server_error() {
                part.fails("http");
            }
        }
        if !self.is_answered {
            self.asked.given_up();
        }
    }
}

/// The body of an answer.
pub(crate) struct Sent {
    content: Content,
    watch: Watch,
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = match &mut self.content {
            Content::Stream(stream) => ready!(stream.as_mut().poll_frame(cx)).map(|Ok(frame)| frame),
            Content::Whole(bytes) if bytes.is_empty() => None,
            Content::Whole(bytes) => Some(Frame::data(part(bytes))),
            Content::WithTrailers(bytes, trailers) if bytes.is_empty() => {
                let trailers = std::mem::take(trailers);
                self.content = Content::Whole(Bytes::new());
                Some(Frame::trailers(trailers))
            }
            Content::WithTrailers(bytes, _) => Some(Frame::data(part(bytes))),
        };
        if let Some(data) = frame.as_ref().and_then(Frame::data_ref) {
            self.watch.asked.handed(data.len());
        }
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::WithTrailers(..) => false,
            Content::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) | Content::WithTrailers(bytes, _) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(stream) => stream.size_hint(),
        }
    }
}
