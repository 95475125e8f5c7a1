//! What is told of a commit, as a part of every trace whose events it has.

use opentelemetry::{Context, KeyValue};
use sea_orm::DbBackend;
use tradewind_telemetry::{Kind, Part, names, parent};

use super::pending::PendingEvent;
use crate::Store;

/// So many traces at most are told of one commit.
const TRACES: usize = 16;

/// The parts in which these events are committed, of the traces that somebody collects.
pub(super) fn committing(store: &Store, events: &[PendingEvent]) -> Vec<Part> {
    let mut causes: Vec<&str> = Vec::new();
    for PendingEvent { event, .. } in events {
        let cause = event.metadata.traceparent.as_str();
        if causes.len() < TRACES && !causes.contains(&cause) {
            causes.push(cause);
        }
    }
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
    causes.into_iter().filter_map(part).collect()
}
