//! Which fields of others' messages each service reads.

use std::collections::{BTreeMap, BTreeSet};

/// What `tests/it/reads.rs` finds in the source of the services: a line for each field of a message that comes to a service,
/// and that its source names.
const FOUND: &str = include_str!("reads.txt");

/// The fields that services read, by service. A service may be said to read one that it doesn't, and never the reverse.
#[derive(Debug, Default)]
pub(crate) struct Reads(BTreeMap<String, BTreeSet<String>>);

impl Reads {
    /// Those of the services that this program was built with.
    pub(crate) fn of_this_build() -> Self {
        let mut reads = Self::default();
        for (service, field) in FOUND.lines().filter_map(|line| line.split_once(" reads ")) {
            reads.0.entry(service.to_owned()).or_default().insert(field.to_owned());
        }
        reads
    }

    /// Whether a service reads a field, by its full name. One that nothing is known of reads all.
    pub(super) fn has(&self, service: &str, field: &str) -> bool {
        self.0.get(service).is_none_or(|fields| fields.contains(field))
    }
}
