//! What a transaction owes: intents, which a worker will carry out, and timers, which will fire. They are written with its
//! commit, in one statement a kind; a second write of the same key replaces the first.

use std::collections::BTreeMap;
use std::fmt;

use sea_orm::{ConnectionTrait, Value};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{Listed, Script, db, micros, statement};
use tradewind_store::{Metadata, Part, Topic, Tx, fits};
use uuid::Uuid;

use super::queue::Intent;

/// Something to be done outside, once this transaction is committed.
#[derive(Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// Which worker carries it out.
    pub kind: &'static str,
    /// What it concerns, e.g. the order id; one intent a kind and key.
    pub key: String,
    /// What is to be done.
    pub action: String,
    /// What is needed to do it.
    pub payload: Vec<u8>,
}

// A payload may hold what must never be logged.
impl fmt::Debug for NewIntent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewIntent")
            .field("kind", &self.kind)
            .field("key", &self.key)
            .field("action", &self.action)
            .field("payload", &format_args!("[{} bytes]", self.payload.len()))
            .finish()
    }
}

/// What waits for the commit.
#[derive(Default)]
struct Owed {
    intents: BTreeMap<(&'static str, String), OwedIntent>,
    /// By name and key; `None` cancels.
    timers: BTreeMap<(String, String), Option<OwedTimer>>,
    /// Intents that go, by kind, key and generation.
    settled: Vec<[Value; 3]>,
}

struct OwedIntent {
    intent: NewIntent,
    generation: i64,
    cause: Metadata,
}

struct OwedTimer {
    due: OffsetDateTime,
    payload: Vec<u8>,
    cause: Metadata,
}

/// Intents of a kind.
pub(super) fn intents(kind: &str) -> Topic {
    Topic::of("intent", kind)
}

/// Timers of a name.
pub(super) fn timers(name: &str) -> Topic {
    Topic::of("timer", name)
}

/// Writes an intent with the transaction, due at once. One with the same kind and key is replaced, and what comes of it is
/// dropped.
pub fn intend(tx: &mut Tx, intent: NewIntent) {
    let cause = tx.cause_of(&intent.key);
    tx.wakes(&intents(intent.kind));
    let owed = OwedIntent { generation: fresh_generation(), cause, intent };
    tx.part::<Owed>().intents.insert((owed.intent.kind, owed.intent.key.clone()), owed);
}

/// Takes an intent back; `false` when there is none. What comes of an attempt that is under way is dropped.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn withdraw(tx: &mut Tx, kind: &str, key: &str) -> Result<bool, Error> {
    let intents = &mut tx.part::<Owed>().intents;
    let kept = intents.len();
    intents.retain(|(kept_kind, kept_key), _| *kept_kind != kind || kept_key != key);
    let unwritten = intents.len() < kept;
    let values: [Value; 2] = [kind.into(), key.into()];
    let written = delete(tx, "DELETE FROM intent WHERE kind = $1 AND key = $2", values).await?;
    Ok(unwritten || written)
}

/// Sets a timer with the transaction; one with the same name and key is replaced.
pub fn schedule(tx: &mut Tx, name: &str, key: &str, due: OffsetDateTime, payload: Vec<u8>) {
    let cause = tx.cause_of(key);
    tx.wakes(&timers(name));
    let owed = OwedTimer { due, payload, cause };
    tx.part::<Owed>().timers.insert((name.to_owned(), key.to_owned()), Some(owed));
}

/// Cancels a timer with the transaction, if there is one.
pub fn cancel_timer(tx: &mut Tx, name: &str, key: &str) {
    tx.part::<Owed>().timers.insert((name.to_owned(), key.to_owned()), None);
}

/// Deletes intents that were acted upon with the commit, all of which have to be there still.
pub(super) fn settle<'a>(tx: &mut Tx, kind: &'static str, acted_upon: impl Iterator<Item = &'a Intent>) {
    let row = |intent: &Intent| [kind.into(), intent.key.as_str().into(), intent.generation.into()];
    tx.part::<Owed>().settled.extend(acted_upon.map(row));
}

/// Deletes an intent that was acted upon; `false` when it is another one by now, or gone.
pub(super) async fn delete_intent(tx: &Tx, kind: &str, intent: &Intent) -> Result<bool, Error> {
    let values: [Value; 3] = [kind.into(), intent.key.as_str().into(), intent.generation.into()];
    delete(tx, "DELETE FROM intent WHERE kind = $1 AND key = $2 AND generation = $3", values).await
}

/// Deletes the timer that fires; `false` when it was set to another time, cancelled, or has fired.
pub(super) async fn delete_timer(tx: &Tx, name: &str, key: &str, due: OffsetDateTime) -> Result<bool, Error> {
    let values: [Value; 3] = [name.into(), key.into(), micros(due).into()];
    delete(tx, "DELETE FROM timer WHERE name = $1 AND key = $2 AND due = $3", values).await
}

async fn delete(tx: &Tx, text: &str, values: impl IntoIterator<Item = Value> + Send) -> Result<bool, Error> {
    let done = tx.conn().execute_raw(statement(tx.backend(), text, values)).await.map_err(db)?;
    Ok(done.rows_affected() == 1)
}

/// A number that no earlier intent of the same key has had, be that deleted or not.
fn fresh_generation() -> i64 {
    i64::try_from(Uuid::new_v4().as_u128() >> 65).unwrap_or(i64::MAX)
}

impl Part for Owed {
    fn check(&self) -> Result<(), Error> {
        for ((kind, key), owed) in &self.intents {
            fits("INTENT_TOO_LARGE", owed.intent.payload.len(), || format!("the intent {kind} of {key}"))?;
        }
        for ((name, key), timer) in &self.timers {
            let bytes = timer.as_ref().map_or(0, |timer| timer.payload.len());
            fits("TIMER_TOO_LARGE", bytes, || format!("the timer {name} of {key}"))?;
        }
        Ok(())
    }

    fn write(&mut self, script: &mut Script, now: OffsetDateTime) {
        // What was settled may lead to another of its key.
        let follows = !self.settled.is_empty();
        let before = "DELETE FROM intent WHERE (kind, key, generation) IN (";
        let delete = Listed { before, after: ")", each: true, ..Listed::default() };
        script.list(&delete, std::mem::take(&mut self.settled));
        write_intents(std::mem::take(&mut self.intents), script, follows, now);
        write_timers(std::mem::take(&mut self.timers), script);
    }
}

fn write_intents(
    intents: BTreeMap<(&'static str, String), OwedIntent>,
    script: &mut Script,
    follows: bool,
    now: OffsetDateTime,
) {
    let insert = Listed {
        before: "INSERT INTO intent (kind, key, action, payload, generation, attempt, due, correlation, causation, \
             traceparent) ",
        after: " ON CONFLICT (kind, key) DO UPDATE SET action = excluded.action, payload = excluded.payload, \
             generation = excluded.generation, attempt = 0, due = excluded.due, claimed_by = NULL, \
             claimed_until = NULL, correlation = excluded.correlation, causation = excluded.causation, \
             traceparent = excluded.traceparent, last_error = NULL",
        follows,
        ..Listed::default()
    };
    let row = |OwedIntent { intent, generation, cause }| -> [Value; 10] {
        let NewIntent { kind, key, action, payload } = intent;
        [
            kind.into(),
            key.into(),
            action.into(),
            payload.into(),
            generation.into(),
            0_i64.into(),
            micros(now).into(),
            cause.correlation.into(),
            cause.causation.into(),
            cause.traceparent.into(),
        ]
    };
    script.list(&insert, intents.into_values().map(row));
}

fn write_timers(timers: BTreeMap<(String, String), Option<OwedTimer>>, script: &mut Script) {
    let (scheduled, cancelled): (Vec<_>, Vec<_>) = timers.into_iter().partition(|(_, timer)| timer.is_some());
    let cancel = Listed { before: "DELETE FROM timer WHERE (name, key) IN (", after: ")", ..Listed::default() };
    script.list(&cancel, cancelled.into_iter().map(|((name, key), _)| [Value::from(name), Value::from(key)]));
    let insert = Listed {
        before: "INSERT INTO timer (name, key, due, payload, correlation, causation, traceparent) ",
        after: " ON CONFLICT (name, key) DO UPDATE SET due = excluded.due, payload = excluded.payload, \
             correlation = excluded.correlation, causation = excluded.causation, \
             traceparent = excluded.traceparent",
        ..Listed::default()
    };
    let row = |((name, key), timer): ((String, String), OwedTimer)| -> [Value; 7] {
        [
            name.into(),
            key.into(),
            micros(timer.due).into(),
            timer.payload.into(),
            timer.cause.correlation.into(),
            timer.cause.causation.into(),
            timer.cause.traceparent.into(),
        ]
    };
    script.list(&insert, scheduled.into_iter().filter_map(|(key, timer)| Some(row((key, timer?)))));
}
