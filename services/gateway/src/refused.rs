//! What is answered instead of what was asked for: one form in gRPC, one in JSON, from the same status.

use std::collections::HashMap;

use bytes::Bytes;
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::{ErrorDetail, ErrorDetails, StatusExt};
use tradewind_calls::served::PUSHBACK;
use tradewind_calls::status::Layer;
use tradewind_mesh::code_name;
use tradewind_transcode::Refusal;

/// `ErrorInfo.domain` of what is refused here, before a service is asked.
pub(crate) const DOMAIN: &str = "edge.tradewind";

/// A request that has no answer of its own.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: Status,
    /// Where it is another than the one that the status means.
    http: Option<StatusCode>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        let is_of_token = |reason: String| reason.starts_with("TOKEN_") || reason == "KEY_UNKNOWN";
        let is_of_token = || tradewind_mesh::reason(&status).is_some_and(is_of_token);
        let challenge = || if is_of_token() { "Bearer error=\"invalid_token\"" } else { "Bearer" };
        let header =
            (status.code() == Code::Unauthenticated).then(|| (WWW_AUTHENTICATE, HeaderValue::from_static(challenge())));
        Self { status, http: None, header }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        let invalid = |reason| Self::from(refusal_of(Code::InvalidArgument, reason, &text));
        match refusal {
            Refusal::NoRoute => refusal_of(Code::NotFound, "NO_ROUTE", &text).into(),
            Refusal::MethodNotAllowed { allowed } => {
                let status = refusal_of(Code::Unimplemented, "METHOD_NOT_ALLOWED", &text);
                let header = HeaderValue::try_from(allowed.join(", ")).ok().map(|allowed| (ALLOW, allowed));
                Self { status, http: Some(StatusCode::METHOD_NOT_ALLOWED), header }
            }
            Refusal::Field { path, problem } => {
                let mut details = ErrorDetails::with_error_info("INVALID_FIELD", DOMAIN, HashMap::new());
                details.add_bad_request_violation(path, problem.to_string());
                Status::with_error_details(Code::InvalidArgument, text, details).into()
            }
            Refusal::MalformedPath => invalid("MALFORMED_PATH"),
            Refusal::MalformedQuery | Refusal::TooManyParameters { .. } => invalid("MALFORMED_QUERY"),
            Refusal::NotJson { .. } => invalid("NOT_JSON"),
            Refusal::UnexpectedBody => invalid("UNEXPECTED_BODY"),
            Refusal::UnexpectedParameters => invalid("UNEXPECTED_PARAMETERS"),
            Refusal::Answer => refusal_of(Code::Internal, "ANSWER_UNREADABLE", &text).into(),
        }
    }
}

impl Refused {
    /// The same with another HTTP status than its code means.
    pub(crate) fn with(mut self, http: StatusCode) -> Self {
        self.http = Some(http);
        self
    }

    /// The HTTP status.
    pub(crate) fn http(&self) -> StatusCode {
        self.http.unwrap_or_else(|| http_of(self.status.code()))
    }

    /// Sets the headers that say more than the body.
    pub(crate) fn headers(&self, headers: &mut HeaderMap) {
        if let Some((name, value)) = &self.header {
            headers.insert(name, value.clone());
        }
        if let Some(seconds) = retry_after(&self.status) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }

    /// The body, as AIP-193 has it.
    pub(crate) fn json(&self, request_id: &str) -> Bytes {
        error(&self.status, self.http(), request_id).to_string().into()
    }
}

/// A refusal of this service's own.
pub(crate) fn refusal_of(code: Code, reason: &str, text: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, text, details)
}

/// Nobody is there who serves the method.
pub(crate) fn away() -> Status {
    refusal_of(Code::Unavailable, "SERVICE_AWAY", "the service is not there at the moment; call again later")
}

/// Whether a service has refused the gateway itself, and not whoever asks.
pub(crate) fn is_ours(status: &Status) -> bool {
    const OURS: [Layer; 4] = [Layer::Identify, Layer::Authorize, Layer::Streams, Layer::Handle];
    let info = status.get_details_error_info();
    let layer = info.as_ref().and_then(|info| info.metadata.get("layer"));
    let is = |layer: &String, one: Layer| layer == one.label();
    layer.is_some_and(|layer| {
        let of_token = is(layer, Layer::User) && status.code() == Code::Unauthenticated;
        of_token || OURS.into_iter().any(|one| is(layer, one))
    })
}

/// What is said outside of a call that was not answered. Who could not be reached, where and why, is nobody's business there.
pub(crate) fn outward(status: Status) -> Status {
    // That the gateway is not believed is no fault of whoever asks.
    let code = if status.code() == Code::Unauthenticated { Code::Unavailable } else { status.code() };
    let text = match code {
        Code::Unavailable => "the service cannot be reached at the moment; call again later",
        Code::DeadlineExceeded => "the deadline has passed",
        Code::ResourceExhausted => "too much is asked at the moment; call again later",
        Code::Cancelled => "the call was given up",
        _ => "the call failed",
    };
    let reason = tradewind_mesh::reason(&status).unwrap_or_else(|| "NO_ANSWER".to_owned());
    tracing::debug!(code = code_name(status.code()), reason, why = status.message(), "a call had no answer");
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    let mut told = Status::with_error_details(code, text, details);
    if let Some(pushback) = status.metadata().get(PUSHBACK) {
        told.metadata_mut().insert(PUSHBACK, pushback.clone());
    }
    told
}

/// The error as AIP-193 has it.
pub(crate) fn error(status: &Status, http: StatusCode, request_id: &str) -> Value {
    let mut said = status.get_error_details_vec();
    // The reason comes first.
    said.sort_by_key(|detail| !matches!(detail, ErrorDetail::ErrorInfo(_)));
    let mut details: Vec<_> = said.into_iter().filter_map(told).collect();
    details.push(detail("RequestInfo", json!({ "requestId": request_id })));
    json!({ "error": {
        "code": http.as_u16(),
        "message": status.message(),
        "status": code_name(status.code()),
        "details": details,
    } })
}

fn detail(name: &str, mut fields: Value) -> Value {
    let mut all = Map::from_iter([("@type".to_owned(), format!("type.googleapis.com/google.rpc.{name}").into())]);
    all.append(fields.as_object_mut().unwrap_or(&mut Map::new()));
    Value::Object(all)
}

/// A detail as JSON has it; none for one that is of no use outside.
fn told(said: ErrorDetail) -> Option<Value> {
    Some(match said {
        ErrorDetail::ErrorInfo(info) => {
            detail("ErrorInfo", json!({ "reason": info.reason, "domain": info.domain, "metadata": info.metadata }))
        }
        ErrorDetail::BadRequest(bad) => {
            let violations = bad.field_violations.iter();
            let violations = violations.map(|each| json!({ "field": each.field, "description": each.description }));
            detail("BadRequest", json!({ "fieldViolations": violations.collect::<Vec<_>>() }))
        }
        ErrorDetail::PreconditionFailure(failed) => {
            let violations = failed
                .violations
                .iter()
                .map(|each| json!({ "type": each.r#type, "subject": each.subject, "description": each.description }));
            detail("PreconditionFailure", json!({ "violations": violations.collect::<Vec<_>>() }))
        }
        ErrorDetail::QuotaFailure(quota) => {
            let violations = quota.violations.iter();
            let violations = violations.map(|each| json!({ "subject": each.subject, "description": each.description }));
            detail("QuotaFailure", json!({ "violations": violations.collect::<Vec<_>>() }))
        }
        ErrorDetail::ResourceInfo(resource) => {
            let fields = json!({
                "resourceType": resource.resource_type,
                "resourceName": resource.resource_name,
                "owner": resource.owner,
                "description": resource.description,
            });
            detail("ResourceInfo", fields)
        }
        ErrorDetail::RetryInfo(retry) => {
            let delay = retry.retry_delay?;
            detail("RetryInfo", json!({ "retryDelay": format!("{}s", delay.as_secs_f64()) }))
        }
        ErrorDetail::Help(help) => {
            let links = help.links.iter().map(|each| json!({ "description": each.description, "url": each.url }));
            detail("Help", json!({ "links": links.collect::<Vec<_>>() }))
        }
        ErrorDetail::LocalizedMessage(text) => {
            detail("LocalizedMessage", json!({ "locale": text.locale, "message": text.message }))
        }
        _ => return None,
    })
}

/// When to come again, in seconds, where the status says so.
fn retry_after(status: &Status) -> Option<u64> {
    let millis = status.metadata().get(PUSHBACK).and_then(|said| said.to_str().ok()?.parse::<u64>().ok());
    let delay = || status.get_details_retry_info().and_then(|retry| retry.retry_delay);
    let seconds = millis.map(|millis| millis.div_ceil(1_000));
    seconds.or_else(|| delay().map(|delay| delay.as_secs() + u64::from(delay.subsec_nanos() > 0)))
}

/// The HTTP status of a code, as google.rpc.Code has it.
pub(crate) const fn http_of(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Cancelled => given_up(),
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// 499: whoever asked does not wait for the answer.
pub(crate) const fn given_up() -> StatusCode {
    match StatusCode::from_u16(499) {
        Ok(code) => code,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_a_service_refuses_the_gateway_is_no_fault_of_whoever_asks() {
        let refusal = |layer: Layer, code| {
            let facts = HashMap::from([("layer".to_owned(), layer.label().to_owned())]);
            let details = ErrorDetails::with_error_info("TOKEN_EXPIRED", "mesh.tradewind", facts);
            Status::with_error_details(code, "the token of gateway", details)
        };
        for (layer, code, told) in [
            (Layer::User, Code::Unauthenticated, Code::Unavailable),
            (Layer::Authorize, Code::PermissionDenied, Code::PermissionDenied),
            (Layer::Streams, Code::ResourceExhausted, Code::ResourceExhausted),
        ] {
            let status = refusal(layer, code);
            assert!(is_ours(&status), "{layer:?}");
            let outward = outward(status);
            assert_eq!((outward.code(), outward.message().contains("gateway")), (told, false));
        }
        assert!(!is_ours(&refusal(Layer::User, Code::PermissionDenied)), "it is not theirs");
        assert!(!is_ours(&refusal(Layer::Message, Code::InvalidArgument)));
        assert!(!is_ours(&refusal_of(Code::Unauthenticated, "CREDENTIALS_INVALID", "no")));
    }
}
