//! Which fields of others' messages each service reads.

use std::collections::{BTreeMap, BTreeSet};

/// What `tests/it/reads.rs` finds in the source of this build's services, a line each: `SERVICE reads FIELD` of a message that comes
/// to it in an event, `SERVICE calls METHOD and reads FIELD` of one that comes in an answer.
const FOUND: &str = include_str!("reads.txt");
/// The same of the last release's services, which are about until the last of them is replaced.
const RELEASED: &str = include_str!("../../../released/reads.txt");

/// The fields that services read. A service may be said to read one that it doesn't. The reverse is so where it
/// hands a message on whole and names none of its fields, as webhooks do with events.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    /// Service → fields that come in events.
    events: BTreeMap<String, BTreeSet<String>>,
    /// Method → service → fields that come in answers.
    answers: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Every service of which there is a line.
    known: BTreeSet<String>,
}

impl Reads {
    /// Those of the services that this program was built with, and of the last release's.
    pub(crate) fn known() -> Self {
        Self::default().with(FOUND).with(RELEASED)
    }

    /// These, and what `lines` tell.
    pub(super) fn with(mut self, lines: &str) -> Self {
        for (service, field) in lines.lines().filter_map(|line| line.split_once(" reads ")) {
            let (service, fields) = match service.strip_suffix(" and").and_then(|called| called.split_once(" calls ")) {
                Some((service, method)) => {
                    let callers = self.answers.entry(method.to_owned()).or_default();
                    (service, callers.entry(service.to_owned()).or_default())
                }
                None => (service, self.events.entry(service.to_owned()).or_default()),
            };
            fields.insert(field.to_owned());
            self.known.insert(service.to_owned());
        }
        self
    }

    /// Whether a service reads a field of an event. One that nothing is known of reads all.
    pub(super) fn of_event(&self, service: &str, field: &str) -> bool {
        let is_read = || self.events.get(service).is_some_and(|fields| fields.contains(field));
        !self.known.contains(service) || is_read()
    }

    /// Whether a service reads a field of what a method answers. One that nothing is known of reads all.
    pub(super) fn of_answer(&self, service: &str, method: &str, field: &str) -> bool {
        let fields = || self.answers.get(method)?.get(service);
        !self.known.contains(service) || fields().is_some_and(|fields| fields.contains(field))
    }

    /// Who is known to read anything of what a method answers.
    pub(super) fn askers(&self, method: &str) -> impl Iterator<Item = &str> {
        self.answers.get(method).into_iter().flat_map(BTreeMap::keys).map(String::as_str)
    }
}
