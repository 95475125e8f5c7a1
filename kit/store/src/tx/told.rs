//! What is told of a commit, as a part of every trace whose events it has.

use std::collections::BTreeSet;

use opentelemetry::{Context, KeyValue};
use sea_orm::DbBackend;
use tradewind_telemetry::{Kind, Part, names, parent};

use super::pending::PendingEvent;
use crate::Store;

/// So many traces at most are told of one commit.
const TRACES: usize = 16;

/// The parts in which these events are committed, of the traces that somebody collects.
pub(super) fn committing(store: &Store, events: &[PendingEvent]) -> Vec<Part> {
    let causes: BTreeSet<_> = events.iter().map(|pending| pending.event.metadata.traceparent.as_str()).collect();
    let system = if store.backend() == DbBackend::Sqlite { "sqlite" } else { "postgresql" };
    let facts = || {
        vec![
            KeyValue::new(names::DB_SYSTEM_NAME, system),
            KeyValue::new(names::DB_NAMESPACE, store.context()),
            KeyValue::new(names::DB_OPERATION_NAME, "COMMIT"),
        ]
    };
    let part = |cause| {
        let name = || format!("COMMIT {}", store.context()).into();
        Part::collected(Kind::Client, &parent(cause), &Context::new(), name, facts)
    };
    causes.into_iter().filter_map(part).take(TRACES).collect()
}
