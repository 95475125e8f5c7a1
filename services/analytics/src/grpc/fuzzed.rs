//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::analytics::v1::ListStuckFlowsRequest;
use prost::Message;

use super::convert;
use crate::store::Place;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("flow-requests", flow_requests)];

/// The bytes of a request; what they say as text may be a place as well.
fn flow_requests(bytes: &[u8]) {
    _ = ListStuckFlowsRequest::decode(bytes).map(|request| convert::asked(&request));
    if let Some(place) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<Place>().ok()) {
        assert_eq!(place.to_string().parse(), Ok(place), "a place is read as it is written");
    }
}

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
