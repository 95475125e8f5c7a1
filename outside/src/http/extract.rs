//! What handlers take from a request: checked bodies, keys and filters. Every mistake is a refusal that names the
//! field.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::refusal::{Checked, Kind, Refusal, check_text};

/// A JSON body, read and checked; its content type does not matter.
pub(super) struct Input<T>(pub(super) T);

/// The `{key}` of the path, percent-decoded.
pub(super) struct Key(pub(super) String);

/// The query, in which unknown parameters are refused.
pub(super) struct Filter<T>(pub(super) T);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfOrder {
    pub(super) order_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct To {
    pub(super) to: Option<String>,
}

impl<S: Send + Sync, T: DeserializeOwned + Checked> FromRequest<S> for Input<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            let message = rejection.body_text();
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(Kind::TooLarge, "BODY_TOO_LARGE", message),
                _ => Refusal::new(Kind::Invalid, "BODY_UNREADABLE", message),
            }
        })?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let input: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| mistake(&error))?;
        reader.end().map_err(|error| Refusal::new(Kind::Invalid, "MALFORMED_JSON", error.to_string()))?;
        input.check()?;
        Ok(Self(input))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(key) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Refusal::field("key", "INVALID_FIELD", rejection.body_text()))?;
        check_text("key", &key)?;
        Ok(Self(key))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Filter<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(filter)) => Ok(Self(filter)),
            Err(rejection) => {
                let message = rejection.body_text();
                let field = quoted(&message);
                Err(Refusal { field, ..Refusal::new(Kind::Invalid, "INVALID_QUERY", message) })
            }
        }
    }
}

fn mistake(error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let message = error.inner().to_string();
    if error.inner().classify() != Category::Data {
        return Refusal::new(Kind::Invalid, "MALFORMED_JSON", message);
    }
    let missing = message.starts_with("missing field");
    let reason = match () {
        () if missing => "MISSING_FIELD",
        () if message.starts_with("unknown field") => "UNKNOWN_FIELD",
        () => "INVALID_FIELD",
    };
    let path = error.path().to_string();
    let field = match (path.as_str(), quoted(&message)) {
        (".", name) => name,
        (path, Some(name)) if missing => Some(format!("{path}.{name}")),
        (path, _) => Some(path.to_owned()),
    };
    Refusal { field, ..Refusal::new(Kind::Invalid, reason, message) }
}

/// The first name in backquotes, which is where serde puts a field's.
fn quoted(message: &str) -> Option<String> {
    message.split('`').nth(1).map(str::to_owned)
}
