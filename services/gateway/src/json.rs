//! Messages as JSON.

use bytes::Bytes;
use http::HeaderValue;
use prost_reflect::DynamicMessage;
use tradewind_transcode::{Refusal, Route};

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A message of an answer as the route has it.
///
/// # Errors
/// Where it is not what the contract says.
pub(crate) fn written(route: &Route, message: Bytes) -> Result<Vec<u8>, Refusal> {
    let message = DynamicMessage::decode(route.method().output(), message).map_err(|_| Refusal::Answer)?;
    route.answer(&message)
}
