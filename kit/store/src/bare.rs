//! An event that says nothing, for tests that need one.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Metadata, Recorded, StreamName};

/// One in partition 0, at no position yet.
pub(crate) fn bare(stream: &str, version: u64) -> Recorded {
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
