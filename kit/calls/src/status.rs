//! Errors to gRPC status and back: the one place where kinds become codes.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use http::HeaderMap;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::{BadRequest, ErrorDetail, ErrorInfo, ResourceInfo, RetryInfo, StatusExt};
use tradewind_domain::{Error, ErrorKind, FieldViolation, Missing};

use crate::served;

/// `ErrorInfo.domain` of what the services say themselves.
const DOMAIN: &str = "tradewind";
/// `ErrorInfo.domain` of what the mesh refuses before a service is asked.
const MESH: &str = "mesh.tradewind";

/// The most bytes of a status on the wire: of what `grpc-message` is percent-encoded to and `grpc-status-details-bin` in base64.
/// A peer that takes 8 KiB of trailers, the least there is, has room for what goes beside it.
const MOST_SENT: usize = 7_680;
// Without a field and a thing that is missing these stay below it, whatever they say; as many are told as there is room for.
const MESSAGE: usize = 1_200;
const FIELD: usize = 96;
const RESOURCE: usize = 64;
const DESCRIPTION: usize = 160;
const FACTS: usize = 8;
const KEY: usize = 40;
const VALUE: usize = 96;

/// The status of an error: code by kind, `ErrorInfo` with reason and facts, `BadRequest` with the fields at fault, a `ResourceInfo`
/// for each thing that is missing: some of them, and how many more there are; `RetryInfo` where it is known when to come again. The
/// text of an internal error is logged and stays here.
pub fn status(error: impl Into<Error>) -> Status {
    let error = error.into();
    let code = match error.kind {
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::Conflict => Code::Aborted,
        ErrorKind::Rejected => Code::FailedPrecondition,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::Denied => Code::PermissionDenied,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Internal => {
            tracing::error!(reason = error.reason, error = %error.message, "internal error");
            return answer(Code::Internal, "internal error", DOMAIN, error.reason, [], Told::default());
        }
    };
    let told = Told { missing: error.missing().to_vec(), violations: error.violations, again: error.again };
    answer(code, &error.message, DOMAIN, error.reason, error.metadata, told)
}

/// What a status tells beside its reason and facts.
#[derive(Default)]
struct Told {
    violations: Vec<FieldViolation>,
    missing: Vec<Missing>,
    again: Option<Duration>,
}

/// The one place where a status with details is made. It fits into the trailers of any peer: texts are cut, and of many fields
/// at fault the first are named and the fact `more_violations` counts the others; so with what is missing, and `more_missing`.
fn answer(
    code: Code,
    message: &str,
    domain: &str,
    reason: &str,
    facts: impl IntoIterator<Item = (String, String)>,
    Told { violations, missing, again }: Told,
) -> Status {
    let message = cut(message, MESSAGE);
    let facts: Vec<_> = facts.into_iter().collect();
    let mut shown = FieldViolation::SHOWN;
    loop {
        let things = missing.len().min(shown);
        let fields = violations.len().min(shown - things);
        let more = [("more_violations", violations.len() - fields), ("more_missing", missing.len() - things)];
        let counted =
            more.into_iter().filter(|(_, more)| *more > 0).map(|(key, more)| (key.to_owned(), more.to_string()));
        let facts = counted.chain(facts.iter().cloned()).take(FACTS);
        let facts: HashMap<_, _> = facts.map(|(key, value)| (cut(&key, KEY), cut(&value, VALUE))).collect();
        let mut details = vec![ErrorDetail::ErrorInfo(ErrorInfo::new(cut(reason, KEY), cut(domain, KEY), facts))];
        details.extend(again.map(|again| RetryInfo::new(Some(again)).into()));
        if fields > 0 {
            let mut request = BadRequest::new(Vec::new());
            for FieldViolation { field, description } in violations.iter().take(fields) {
                request.add_violation(cut(field, FIELD), cut(description, DESCRIPTION));
            }
            details.push(request.into());
        }
        details.extend(missing.iter().take(things).map(|Missing { kind, name, description }| {
            ResourceInfo::new(cut(kind, RESOURCE), cut(name, FIELD), "", cut(description, DESCRIPTION)).into()
        }));
        let status = Status::with_error_details_vec(code, message.as_str(), details);
        if message.chars().map(encoded_len).sum::<usize>() + status.details().len().div_ceil(3) * 4 <= MOST_SENT
            || shown == 0
        {
            return status;
        }
        shown -= 1;
    }
}

/// As much of `text` as is sent in `most` bytes when percent-encoded, with `...` where something is missing.
fn cut(text: &str, most: usize) -> String {
    const MISSING: &str = "...";
    let (mut sent, mut kept) = (0, 0);
    for (at, letter) in text.char_indices() {
        if sent <= most - MISSING.len() {
            kept = at;
        }
        sent += encoded_len(letter);
        if sent > most {
            return format!("{}{MISSING}", &text[..kept]);
        }
    }
    text.to_owned()
}

/// The bytes of a letter when percent-encoded.
fn encoded_len(letter: char) -> usize {
    match letter {
        '"' | '#' | '%' | '<' | '>' | '`' | '?' | '{' | '}' => 3,
        letter if letter.is_ascii_graphic() => 1,
        letter => 3 * letter.len_utf8(),
    }
}

/// Makes a status that somebody else put into `headers` fit as well.
pub fn fit(headers: &mut HeaderMap) {
    let sent = |name| headers.get(name).map_or(0, http::HeaderValue::len);
    if sent("grpc-message") + sent("grpc-status-details-bin") <= MOST_SENT {
        return;
    }
    let Some(status) = Status::from_header_map(headers) else { return };
    let info = status.get_details_error_info().unwrap_or_else(|| ErrorInfo::new("", "", HashMap::new()));
    let facts = info.metadata.into_iter().collect::<BTreeMap<_, _>>();
    let again = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let told = Told { violations: violations(&status), missing: missing(&status), again };
    let fitting = answer(status.code(), status.message(), &info.domain, &info.reason, facts, told);
    if fitting.add_header(headers).is_err() {
        headers.remove("grpc-message");
        headers.remove("grpc-status-details-bin");
    }
}

/// The stable reason of a status that carries one.
#[must_use]
pub fn reason(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}

/// The fields at fault that a status names.
#[must_use]
pub fn violations(status: &Status) -> Vec<FieldViolation> {
    status
        .get_details_bad_request()
        .map(|request| request.field_violations)
        .unwrap_or_default()
        .into_iter()
        .map(|violation| FieldViolation { field: violation.field, description: violation.description })
        .collect()
}

/// What is missing, as a status names it.
#[must_use]
pub fn missing(status: &Status) -> Vec<Missing> {
    let named = |detail| match detail {
        ErrorDetail::ResourceInfo(ResourceInfo { resource_type: kind, resource_name: name, description, .. }) => {
            Some(Missing { kind, name, description })
        }
        _ => None,
    };
    status.get_error_details_vec().into_iter().filter_map(named).collect()
}

/// Which part of the mesh turns a call away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The caller's end: its time is over.
    ClientDeadline,
    /// The caller's end: too many calls of the peer are under way.
    Bulkhead,
    /// The caller's end: an answer that cannot be read.
    Answer,
    /// The caller's end: an endpoint that fails is left alone.
    Breaker,
    /// The caller's end: there is no connection, or it was lost.
    Connect,
    /// Who calls.
    Identify,
    /// Whether the contract lets them.
    Authorize,
    /// For whom the call is, and whether it is theirs to make.
    User,
    /// The server's end: the call's time is over.
    ServerDeadline,
    /// How many streams a connection carries.
    Streams,
    /// How much a server handles at once.
    Shed,
    /// How often one caller may call.
    RateLimit,
    /// What a request is carried in.
    Message,
    /// The server stops, or the connection is too old.
    Drain,
    /// An operator has asked for it.
    Fault,
    /// What serves a method.
    Handle,
}

impl Layer {
    pub const fn label(self) -> &'static str {
        match self {
            Self::ClientDeadline => "client.deadline",
            Self::Bulkhead => "client.bulkhead",
            Self::Answer => "client.answer",
            Self::Breaker => "client.breaker",
            Self::Connect => "client.connect",
            Self::Identify => "server.identify",
            Self::Authorize => "server.authorize",
            Self::User => "server.user",
            Self::ServerDeadline => "server.deadline",
            Self::Streams => "server.streams",
            Self::Shed => "server.shed",
            Self::RateLimit => "server.rate_limit",
            Self::Message => "server.message",
            Self::Drain => "server.drain",
            Self::Fault => "fault",
            Self::Handle => "server.handle",
        }
    }
}

/// What the mesh itself answers: the layer that refuses, its reason, and the facts that explain it.
pub fn refusal<'a>(
    layer: Layer,
    code: Code,
    reason: &str,
    message: &str,
    facts: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Status {
    let facts = std::iter::once(("layer", layer.label())).chain(facts);
    let facts = facts.map(|(key, value)| (key.to_owned(), value.to_owned()));
    answer(code, message, MESH, reason, facts, Told::default())
}

/// The same refusal, saying when to come again; never, if that is never.
pub fn again(mut refused: Status, after: Option<Duration>) -> Status {
    let never = MetadataValue::from_static(served::NEVER);
    let after = after.map(|after| MetadataValue::from(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)));
    refused.metadata_mut().insert(served::PUSHBACK, after.unwrap_or(never));
    refused
}

/// Whether a status is the fault of whoever serves, or of the way there: alerts and dashboards count the same as failures. A refused
/// request is none.
#[must_use]
pub const fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// A status code as the gRPC documents spell it: `NOT_FOUND`.
#[must_use]
pub const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests;
