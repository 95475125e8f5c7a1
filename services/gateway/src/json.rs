//! The media type of JSON.

use http::HeaderValue;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
