//! REST with JSON: a request on a route becomes a message, and the answer JSON.

use std::net::IpAddr;

use bytes::Bytes;
use contracts::tradewind::options::v1::Audience;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method as Http, Request, Response, StatusCode};
use prost_reflect::{DynamicMessage, Value};
use tonic::Code;
use tradewind_calls::deadline;
use tradewind_transcode::Refusal;

use crate::answer::{Content, Watch};
use crate::arriving::Arriving;
use crate::json::JSON;
use crate::methods::Method;
use crate::reading;
use crate::refused::{Refused, refusal_of};
use crate::request_id::RequestId;
use crate::state::{Limit, State};
use crate::streaming::{self, Form};
use crate::unary::{self, Messages};
use crate::who::{self, Caller};
use crate::whole::Whole;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Answers a request on one of the routes.
///
/// # Errors
/// Why it has no answer.
pub(crate) async fn answer(
    state: &State,
    request: Request<Arriving>,
    from: IpAddr,
    id: &RequestId,
    watch: &mut Watch,
) -> Result<Response<Content>, Refused> {
    let (head, body) = request.into_parts();
    let is_head = head.method == Http::HEAD;
    let http = if is_head { Http::GET } else { head.method };
    let (found, method) = match state.methods.routed(http.as_str(), head.uri.path()) {
        Err(Refusal::MethodNotAllowed { allowed }) if http == Http::OPTIONS => return Ok(options(&allowed)),
        Err(refusal) => {
            state.limits.stray(from, &mut watch.pass)?;
            return Err(refusal.into());
        }
        Ok(found) => found,
    };
    watch.of(method);
    state.limits.arrive(method.class, from, &mut watch.pass)?;
    let signed_in = state.who.user(method.audience, &head.headers).await?;
    let user = signed_in.as_ref().map(|found| found.user.clone());
    state.limits.identify(method.class, user.as_deref(), &mut watch.pass)?;
    who::admit(method.audience, user.as_deref())?;
    let (body, _held) = reading::whole(body, state.json, watch.asked()).await?;
    if !body.is_empty() {
        is_json(&head.headers)?;
        reading::json(&body)?;
    }
    let mut message = found.request(head.uri.query().unwrap_or_default(), &body)?;
    name(method, &head.headers, &mut message)?;
    let request = unary::request_of(&method.path, passed(&head.headers), unary::framed(&message)?);
    drop((message, body));
    watch.expects().await?;
    let answered = method.call(request, Caller { user, address: from }).await?;
    if method.streams() {
        let form = Form::accepted(&head.headers);
        let limit = Limit::new(&state.stop, state.who.belief(signed_in.as_ref()));
        watch.streams(limit.clone().reached());
        return streaming::answer(Messages::of(answered), found.route.clone(), form, limit, id.text()).await;
    }
    let json = found.route.answer_of(&unary::only(answered).await?)?;
    // What is somebody's own is kept by nobody between; what is everybody's, if it is asked for each time whether it still holds.
    let is_get = http == Http::GET;
    let kept = if is_get && method.audience == Audience::Public { "no-cache" } else { "no-store" };
    let whole = Whole::new(json, JSON, kept);
    let whole = if is_get { whole.marked() } else { whole };
    Ok(whole.answer(is_head, &head.headers))
}

fn options(allowed: &[String]) -> Response<Content> {
    let mut response = Response::new(Content::Whole(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allowed) = HeaderValue::try_from(allowed.join(", ")) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// What goes on to the service of what was said beside the request.
fn passed(headers: &HeaderMap) -> HeaderMap {
    let mut passed = HeaderMap::with_capacity(8);
    if let Some(timeout) = headers.get(deadline::HEADER) {
        passed.insert(deadline::HEADER, timeout.clone());
    }
    passed
}

/// A body is JSON, and says so: a page of another origin cannot say it without being asked whether it may.
fn is_json(headers: &HeaderMap) -> Result<(), Refused> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let plain = headers.get(CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
    if kind.eq_ignore_ascii_case("application/json") && plain {
        return Ok(());
    }
    let text = "a body is application/json, and not packed";
    let status = refusal_of(Code::InvalidArgument, "CONTENT_TYPE", text);
    Err(Refused::from(status).with(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

/// Gives the request the name that its `Idempotency-Key` is.
fn name(method: &Method, headers: &HeaderMap, message: &mut DynamicMessage) -> Result<(), Refused> {
    let (Some(field), Some(key)) = (&method.request_id, headers.get(IDEMPOTENCY_KEY)) else { return Ok(()) };
    let invalid = |text: &str| Refused::from(refusal_of(Code::InvalidArgument, "IDEMPOTENCY_KEY", text));
    let key = key.to_str().map_err(|_| invalid("Idempotency-Key is not ASCII"))?.trim();
    // As a string of a structured field, which the draft wants, or as everybody writes it.
    let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
    if key.is_empty() {
        return Err(invalid("Idempotency-Key is empty"));
    }
    let has = message.get_field(field).as_str().filter(|has| !has.is_empty()).map(|has| has == key);
    match has {
        Some(true) => {}
        Some(false) => return Err(invalid("Idempotency-Key and request_id differ")),
        None => message.set_field(field, Value::String(key.to_owned())),
    }
    Ok(())
}
