//! Every request comes through here: it gets its name, is told apart by its protocol, and its answer says what every answer says.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_TYPE, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use opentelemetry::trace::SpanContext;
use opentelemetry::{Context, KeyValue};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tradewind_edge::Proxies;
use tradewind_mesh::code_name;
use tradewind_telemetry::{Kind, Part, names};

use crate::answer::{Content, Protocol, Sent, Watch};
use crate::arriving::Arriving;
use crate::awake::Awake;
use crate::cors::Origins;
use crate::crowd::{Asked, Crowd};
use crate::json::JSON;
use crate::limits::{Limits, Rules};
use crate::memory::Memory;
use crate::metadata::Metadata;
use crate::methods::Methods;
use crate::refused::{Refused, refusal_of};
use crate::request_id::{self, RequestId};
use crate::site::Site;
use crate::state::State;
use crate::web::Web;
use crate::who::Who;
use crate::{arriving, grpc, metrics, rest, site};

/// The most headers of a request.
const HEADERS: usize = 100;
/// The most bytes of JSON of a request, and of all requests and all answers that are in memory, unless something else is said.
const JSON_BYTES: usize = 1 << 20;
const ROOM: usize = 64 << 20;

/// What every request comes through.
pub struct Door {
    state: State,
    origins: Origins,
    proxies: Proxies,
    site: Site,
    crowd: Arc<Crowd>,
    awake: Arc<Awake>,
}

/// How a request wants to be answered.
#[derive(Clone, Copy)]
enum Way {
    Rest,
    Grpc(Option<Web>),
}

impl Way {
    fn of(headers: &HeaderMap) -> Self {
        let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        match kind.strip_prefix(b"application/grpc") {
            None => Self::Rest,
            Some(rest) if rest.starts_with(b"-web-text") => Self::Grpc(Some(Web::Text)),
            Some(rest) if rest.starts_with(b"-web") => Self::Grpc(Some(Web::Binary)),
            Some(_) => Self::Grpc(None),
        }
    }

    fn refused(self, why: Refused, id: &RequestId) -> Response<Content> {
        match self {
            Self::Rest => refused(&why, id),
            Self::Grpc(web) => grpc::refused(why, web),
        }
    }

    const fn protocol(self) -> Protocol {
        match self {
            Self::Rest => Protocol::Rest,
            Self::Grpc(None) => Protocol::Grpc,
            Self::Grpc(Some(_)) => Protocol::GrpcWeb,
        }
    }
}

impl Door {
    /// Offers `methods` to whom `who` knows. Streams end when `stop` is cancelled.
    #[must_use]
    pub fn new(methods: Methods, who: Who, stop: CancellationToken) -> Self {
        let site = Site::of(&methods);
        let (limits, metadata) = (Limits::new(Rules::default()), Metadata::default());
        let state = State { methods, who, limits, metadata, json: JSON_BYTES, stop };
        let (origins, proxies) = (Origins::default(), Proxies::default());
        let (crowd, awake) = (Crowd::new(ROOM), Awake::new(Duration::ZERO));
        Self { state, origins, proxies, site, crowd, awake }
    }

    /// Takes so many bytes of JSON of one request, and of memory what is meant for requests and answers.
    #[must_use]
    pub fn reckoning(mut self, memory: Memory, json: usize) -> Self {
        self.state.json = json;
        self.crowd = Crowd::new(memory.room());
        self
    }

    /// Lets pages of these origins call.
    #[must_use]
    pub fn open_to(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// Takes the word of these proxies for where a request comes from.
    #[must_use]
    pub fn behind(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Counts what everybody asks for.
    #[must_use]
    pub fn within(mut self, limits: Arc<Limits>) -> Self {
        self.state.limits = limits;
        self
    }

    /// Passes on what gRPC callers say beside a message, as far as it is named.
    #[must_use]
    pub fn passing(mut self, metadata: Metadata) -> Self {
        self.state.metadata = metadata;
        self
    }

    /// Wakes this up with each request that comes or goes.
    #[must_use]
    pub(crate) fn waking(mut self, awake: Arc<Awake>) -> Self {
        self.awake = awake;
        self
    }

    /// Everybody who comes through here.
    pub(crate) const fn crowd(&self) -> &Arc<Crowd> {
        &self.crowd
    }

    /// Whether a peer asks for others.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        self.proxies.trusts(peer)
    }

    /// Answers a request.
    pub(crate) async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: IpAddr,
        asked: Asked,
    ) -> Result<Response<Sent>, Infallible> {
        self.awake.wake();
        let way = Way::of(request.headers());
        let id = RequestId::of(request.headers());
        let origin = request.headers().get(ORIGIN).cloned();
        let is_head = request.method() == Method::HEAD;
        let from = self.proxies.origin(peer, request.headers());
        if self.proxies.disbelieves(peer, request.headers()) {
            metrics::unbelieved();
        }
        let mut watch = Watch::begin(way.protocol(), asked);
        let (request, left) = arriving::of(request);
        let mut response = match watch.enters(request.uri(), request.headers()).await {
            Ok(()) => self.traced(request, way, from, &id, &mut watch).await,
            Err(why) => {
                drop(request);
                way.refused(why, &id)
            }
        };
        let goes_on = left.read().await;
        if is_head {
            response = Content::unsaid(response);
        }
        watch.holds(response.body().bytes(), response.status());
        let headers = response.headers_mut();
        headers.insert(request_id::HEADER, id.into_header());
        if !goes_on {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if matches!(way, Way::Rest) {
            watch.pass.tell(headers);
        }
        self.origins.let_read(origin.as_ref(), headers);
        self.awake.wake();
        Ok(watch.answered(response))
    }

    /// Every request begins a trace: what strangers say of theirs is not taken.
    async fn traced(
        &self,
        request: Request<Arriving>,
        way: Way,
        from: IpAddr,
        id: &RequestId,
        watch: &mut Watch,
    ) -> Response<Content> {
        let method = metrics::named(request.method());
        let facts = || {
            vec![
                KeyValue::new(names::HTTP_REQUEST_METHOD, method),
                KeyValue::new(names::REQUEST_ID, id.text().to_owned()),
            ]
        };
        let part = Part::begin(Kind::Server, &SpanContext::NONE, &Context::new(), || method.into(), facts);
        watch.is_told_in(method, &part);
        part.within(self.answer(request, way, from, id, watch)).await
    }

    async fn answer(
        &self,
        request: Request<Arriving>,
        way: Way,
        from: IpAddr,
        id: &RequestId,
        watch: &mut Watch,
    ) -> Response<Content> {
        let reads = matches!(way, Way::Rest) && [Method::GET, Method::HEAD].contains(request.method());
        let page = if reads { self.site.page(request.uri().path()) } else { None };
        let preflight = self.origins.preflight(&request);
        let has_too_many = request.headers().len() > HEADERS;
        // What is no call is counted all the same.
        let no_call = self.no_call(way, &request);
        if (page.is_some() || preflight.is_some() || has_too_many || no_call.is_some())
            && let Err(why) = self.state.limits.stray(from, &mut watch.pass)
        {
            return way.refused(why.into(), id);
        }
        if let Some(answered) = preflight {
            return answered;
        }
        if has_too_many {
            let status = refusal_of(Code::ResourceExhausted, "TOO_MANY_HEADERS", "a request has at most 100 headers");
            return way.refused(Refused::from(status).with(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE), id);
        }
        if let Some(page) = page {
            return site::answer(page, request.method() == Method::HEAD, request.headers());
        }
        if let Some(status) = no_call {
            return grpc::no_call(status);
        }
        match way {
            Way::Rest => {
                let answered = rest::answer(&self.state, request, from, id, watch).await;
                answered.unwrap_or_else(|why| {
                    tell(&why, id, watch);
                    way.refused(why, id)
                })
            }
            Way::Grpc(web) => {
                let answered = grpc::answer(&self.state, request, web, from, watch).await;
                answered.unwrap_or_else(|why| {
                    tell(&why, id, watch);
                    way.refused(why, id)
                })
            }
        }
    }

    /// The status of what looks like a call by gRPC and is none; nothing of all else.
    fn no_call(&self, way: Way, request: &Request<Arriving>) -> Option<StatusCode> {
        let is_method =
            || request.method() == Method::POST && self.state.methods.called(request.uri().path()).is_some();
        match way {
            Way::Rest => is_method().then_some(StatusCode::UNSUPPORTED_MEDIA_TYPE),
            Way::Grpc(web) => grpc::is_call(request, web).err(),
        }
    }
}

/// A refusal, as JSON.
fn refused(why: &Refused, id: &RequestId) -> Response<Content> {
    let mut response = Response::new(Content::Whole(why.json(id.text())));
    *response.status_mut() = why.http();
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    why.headers(response.headers_mut());
    response
}

/// Writes a request down that has failed. One that was refused is its own fault, and would let anybody fill the log.
fn tell(why: &Refused, id: &RequestId, watch: &Watch) {
    let (http, code) = (why.http().as_u16(), code_name(why.status.code()));
    let reason = tradewind_mesh::reason(&why.status).unwrap_or_default();
    let (method, request_id) = (watch.name(), id.text());
    if why.http().is_server_error() {
        tracing::warn!(method, request_id, http, code, reason, "request failed");
    } else {
        tracing::debug!(method, request_id, http, code, reason, "request refused");
    }
}
