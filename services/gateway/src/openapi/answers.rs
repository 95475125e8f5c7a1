//! What an operation can be answered.

use contracts::tradewind::options::v1::Audience;
use http::StatusCode;
use serde_json::{Map, Value, json};
use tradewind_transcode::Route;
use tradewind_transcode::schema::{Comments, Place, Schemas};

use crate::methods::Method;

/// Why a request has no answer of its own, by status.
const REFUSALS: [(StatusCode, &str); 15] = [
    (StatusCode::BAD_REQUEST, "The request cannot be meant, or is not possible as things stand."),
    (StatusCode::UNAUTHORIZED, "Nobody has signed in, or what says so is not good."),
    (StatusCode::FORBIDDEN, "It is not for whoever asks."),
    (StatusCode::NOT_FOUND, "There is no such thing, or none that whoever asks may see."),
    (StatusCode::REQUEST_TIMEOUT, "The request comes too slowly."),
    (StatusCode::CONFLICT, "It is there already, or somebody else has changed it meanwhile."),
    (StatusCode::PAYLOAD_TOO_LARGE, "The request is too large."),
    (StatusCode::URI_TOO_LONG, "The path is too long."),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not JSON, or does not say so."),
    (StatusCode::TOO_MANY_REQUESTS, "Too much is asked; Retry-After says when to come again."),
    (
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The path and the headers are too long, or too many; there may be no body.",
    ),
    (StatusCode::INTERNAL_SERVER_ERROR, "Something is broken here."),
    (StatusCode::NOT_IMPLEMENTED, "Whoever serves this does not know it yet."),
    (StatusCode::SERVICE_UNAVAILABLE, "Whoever serves this is not there at the moment; come again."),
    (StatusCode::GATEWAY_TIMEOUT, "There was no answer in time."),
];

/// The answers without a message, which operations refer to.
pub(super) fn shared() -> Map<String, Value> {
    let refusals = REFUSALS.map(|(status, description)| {
        let mut headers = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
        match status {
            StatusCode::UNAUTHORIZED => headers["www-authenticate"] = header("The scheme that is asked for.", true),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers["retry-after"] = json!({
                    "description": "When to come again, in seconds.",
                    "schema": { "type": "integer", "minimum": 0 },
                });
                headers["ratelimit"] = header("What is left of what there is the least of.", false);
            }
            _ => {}
        }
        let mut answer = json!({ "description": description });
        // What is too long to be read is answered before anybody here hears of it.
        if status != StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE {
            answer["headers"] = headers;
            answer["content"] = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
        }
        (name(status), answer)
    });
    let unchanged = json!({
        "description": "It is what If-None-Match names.",
        "headers": {
            "x-request-id": { "$ref": "#/components/headers/RequestId" },
            "etag": header("The mark of what there is.", true),
        },
    });
    refusals.into_iter().chain([(name(StatusCode::NOT_MODIFIED), unchanged)]).collect()
}

/// Headers that answers share.
pub(super) fn headers() -> Value {
    json!({ "RequestId": header("The name of the request: its own, or one that was made.", true) })
}

fn header(description: &str, required: bool) -> Value {
    json!({ "description": description, "required": required, "schema": { "type": "string" } })
}

/// All answers of a route, by status.
pub(super) fn of(route: &Route, method: &Method, schemas: &mut Schemas) -> Value {
    let is_get = route.declared().method == "GET";
    let mut all = Map::from_iter([("200".to_owned(), message(route, method, is_get, schemas))]);
    if is_get && !method.streams() {
        all.insert("304".to_owned(), refer(StatusCode::NOT_MODIFIED));
    }
    for (status, _) in REFUSALS {
        if can_be(status, method, is_get) {
            all.insert(status.as_u16().to_string(), refer(status));
        }
    }
    all.into()
}

/// Whether a status can be answered; the contract's words name codes that are not everybody's.
fn can_be(status: StatusCode, method: &Method, is_get: bool) -> bool {
    let said = Comments::of_method(&method.descriptor);
    let is_for_some = method.audience != Audience::Public;
    match status {
        StatusCode::UNAUTHORIZED => is_for_some || said.contains("UNAUTHENTICATED"),
        StatusCode::FORBIDDEN => is_for_some || said.contains("PERMISSION_DENIED"),
        StatusCode::CONFLICT => !is_get,
        _ => true,
    }
}

fn refer(status: StatusCode) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", name(status)) })
}

fn name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().split_whitespace().collect()
}

fn message(route: &Route, method: &Method, is_get: bool, schemas: &mut Schemas) -> Value {
    let output = method.descriptor.output();
    let field = Some(route.declared().response_body.as_str()).filter(|name| !name.is_empty());
    let field = field.and_then(|name| output.get_field_by_name(name));
    let message = match field {
        Some(field) => schemas.field(&field, Place::Answer),
        None => schemas.refer(&output, Place::Answer),
    };
    let mut headers = json!({
        "x-request-id": { "$ref": "#/components/headers/RequestId" },
        "cache-control": header("Who may keep it.", true),
    });
    let content = if method.streams() {
        let each = json!({ "anyOf": [message, { "$ref": "#/components/schemas/Error" }] });
        json!({
            "application/json": { "schema": {
                "type": "array",
                "items": each,
                "description": "All of them. What ends it too early is the last.",
            } },
            "application/x-ndjson": { "schema": {
                "type": "string",
                "description": "A line each. What ends it too early is the last.",
                "x-item": each,
            } },
            "text/event-stream": { "schema": {
                "type": "string",
                "description": "An event each, then an event `end`; or an event `error`, which ends it too early.",
                "x-item": each,
            } },
        })
    } else {
        json!({ "application/json": { "schema": message } })
    };
    if is_get && !method.streams() {
        headers["etag"] = header("Its mark, for If-None-Match.", true);
    }
    json!({ "description": Comments::of_message(&output), "headers": headers, "content": content })
}

/// The error as AIP-193 has it.
pub(super) fn error() -> Value {
    json!({
        "type": "object",
        "description": "Why there is no answer, as AIP-193 has it.",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message", "status", "details"],
            "properties": {
                "code": { "type": "integer", "description": "The HTTP status." },
                "message": { "type": "string", "description": "For people." },
                "status": { "type": "string", "description": "The code of google.rpc.Code." },
                "details": { "type": "array", "items": {
                    "type": "object",
                    "description": "ErrorInfo with a stable reason, BadRequest with the fields at fault, RequestInfo, …",
                    "required": ["@type"],
                    "properties": { "@type": { "type": "string" } },
                } },
            },
            "additionalProperties": false,
        } },
        "additionalProperties": false,
    })
}
