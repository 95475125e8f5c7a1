//! What a transaction has appended, once it is committed.

use std::collections::BTreeMap;

use crate::StreamName;

/// What a transaction has appended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed(Vec<Appended>);

/// One appended event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The stream it went to.
    pub stream: StreamName,
    /// Its version there.
    pub version: u64,
    /// The log partition it belongs to.
    pub partition: u16,
}

impl Committed {
    /// These, in the order in which they were appended.
    pub(crate) fn new(appended: Vec<Appended>) -> Self {
        Self(appended)
    }

    /// The events in the order in which they were appended.
    #[must_use]
    pub fn appended(&self) -> &[Appended] {
        &self.0
    }

    /// The last event of each partition.
    pub(crate) fn last_by_partition(&self) -> impl Iterator<Item = (u16, &StreamName, u64)> {
        let last: BTreeMap<u16, &Appended> = self.0.iter().map(|appended| (appended.partition, appended)).collect();
        last.into_iter().map(|(partition, appended)| (partition, &appended.stream, appended.version))
    }
}
