//! What waits for the commit, and the statements that write it.

use std::collections::BTreeMap;

use sea_orm::{DbBackend, Value};
use time::OffsetDateTime;

use super::{NewIntent, RequestKey};
use crate::sql::{EVENT_COLUMNS, Script, batches, signed};
use crate::times::micros;
use crate::{Metadata, Recorded};

/// Writes that nothing in the transaction needs an answer to. A second write of the same key replaces the first.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) events: Vec<Recorded>,
    pub(super) requests: Vec<(RequestKey, Vec<u8>)>,
    pub(super) intents: BTreeMap<(&'static str, String), PendingIntent>,
    /// By name and key; `None` cancels.
    pub(super) timers: BTreeMap<(String, String), Option<PendingTimer>>,
}

pub(super) struct PendingIntent {
    pub(super) intent: NewIntent,
    pub(super) generation: i64,
    pub(super) cause: Metadata,
}

pub(super) struct PendingTimer {
    pub(super) due: OffsetDateTime,
    pub(super) payload: Vec<u8>,
    pub(super) cause: Metadata,
}

impl Pending {
    /// The statements that write everything, at the time `now`.
    pub(super) fn script(&mut self, backend: DbBackend, now: OffsetDateTime) -> Script {
        let mut script = Script::new(backend);
        self.write_events(&mut script, backend);
        self.write_requests(&mut script, now);
        self.write_intents(&mut script, now);
        self.write_timers(&mut script);
        script
    }

    fn write_events(&mut self, script: &mut Script, backend: DbBackend) {
        let mut events = std::mem::take(&mut self.events).into_iter();
        for size in batches(events.len()) {
            if backend == DbBackend::Postgres {
                script.start("WITH appended AS (");
            } else {
                script.start("");
            }
            script.text("INSERT INTO event (").text(EVENT_COLUMNS).text(") VALUES ");
            script.rows(events.by_ref().take(size).map(event_row));
            if backend == DbBackend::Postgres {
                script.text(
                    " RETURNING partition, stream, version) INSERT INTO outbox (partition, stream, version) \
                     SELECT partition, stream, version FROM appended",
                );
            }
        }
    }

    fn write_requests(&mut self, script: &mut Script, now: OffsetDateTime) {
        let mut requests = std::mem::take(&mut self.requests).into_iter();
        for size in batches(requests.len()) {
            script.start("INSERT INTO request (principal, method, request_id, hash, response, time) VALUES ");
            script.rows(requests.by_ref().take(size).map(|(key, response)| -> [Value; 6] {
                [
                    key.principal.into(),
                    key.method.into(),
                    key.request_id.into(),
                    key.hash.to_vec().into(),
                    response.into(),
                    micros(now).into(),
                ]
            }));
        }
    }

    fn write_intents(&mut self, script: &mut Script, now: OffsetDateTime) {
        let mut intents = std::mem::take(&mut self.intents).into_values();
        for size in batches(intents.len()) {
            script.start(
                "INSERT INTO intent (kind, key, action, payload, generation, attempt, due, correlation, causation, \
                 traceparent) VALUES ",
            );
            script.rows(intents.by_ref().take(size).map(
                |PendingIntent { intent, generation, cause }| -> [Value; 10] {
                    [
                        intent.kind.into(),
                        intent.key.into(),
                        intent.action.into(),
                        intent.payload.into(),
                        generation.into(),
                        0_i64.into(),
                        micros(now).into(),
                        cause.correlation.into(),
                        cause.causation.into(),
                        cause.traceparent.into(),
                    ]
                },
            ));
            script.text(
                " ON CONFLICT (kind, key) DO UPDATE SET action = excluded.action, payload = excluded.payload, \
                 generation = excluded.generation, attempt = 0, due = excluded.due, claimed_by = NULL, \
                 claimed_until = NULL, correlation = excluded.correlation, causation = excluded.causation, \
                 traceparent = excluded.traceparent, last_error = NULL",
            );
        }
    }

    fn write_timers(&mut self, script: &mut Script) {
        let (scheduled, cancelled): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.timers).into_iter().partition(|(_, timer)| timer.is_some());
        for ((name, key), _) in cancelled {
            script.start("DELETE FROM timer WHERE (name, key) = ").row([Value::from(name), Value::from(key)]);
        }
        let mut scheduled =
            scheduled.into_iter().filter_map(|(key, timer)| Some((key, timer?))).collect::<Vec<_>>().into_iter();
        for size in batches(scheduled.len()) {
            script.start("INSERT INTO timer (name, key, due, payload, correlation, causation, traceparent) VALUES ");
            script.rows(scheduled.by_ref().take(size).map(|((name, key), timer)| -> [Value; 7] {
                [
                    name.into(),
                    key.into(),
                    micros(timer.due).into(),
                    timer.payload.into(),
                    timer.cause.correlation.into(),
                    timer.cause.causation.into(),
                    timer.cause.traceparent.into(),
                ]
            }));
            script.text(
                " ON CONFLICT (name, key) DO UPDATE SET due = excluded.due, payload = excluded.payload, \
                 correlation = excluded.correlation, causation = excluded.causation, \
                 traceparent = excluded.traceparent",
            );
        }
    }
}

fn event_row(event: Recorded) -> [Value; 11] {
    [
        event.stream.as_str().into(),
        signed(event.version).into(),
        event.id.into(),
        event.type_name.into(),
        event.payload.into(),
        event.metadata.partition_key.into(),
        i64::from(event.partition).into(),
        micros(event.time).into(),
        event.metadata.correlation.into(),
        event.metadata.causation.into(),
        event.metadata.traceparent.into(),
    ]
}
