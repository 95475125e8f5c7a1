//! An event that holds nothing.

use time::OffsetDateTime;
use tradewind_store::{Metadata, Recorded, StreamName};
use uuid::Uuid;

/// One of a stream, in partition 0 and at no position yet.
#[must_use]
pub fn recorded(stream: &str, version: u64) -> Recorded {
    Recorded {
        id: Uuid::nil(),
        stream: StreamName::from(stream),
        version,
        partition: 0,
        position: 0,
        type_name: String::new(),
        payload: Vec::new(),
        time: OffsetDateTime::UNIX_EPOCH,
        metadata: Metadata::default(),
    }
}
