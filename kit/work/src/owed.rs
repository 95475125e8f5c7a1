//! What a transaction owes: intents, which a worker will carry out, and timers, which will fire. They are written with its
//! commit, in one statement a kind; a second write of the same key replaces the first.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{Script, db, micros};
use tradewind_store::{Metadata, Part, Removal, Topic, Tx, Upsert, fits};
use uuid::Uuid;

use super::queue::Intent;
use super::table::{intent, timer};

/// What is written replaces what was there, claims and failures included.
static INTENTS: LazyLock<Upsert<intent::Entity>> =
    LazyLock::new(|| Upsert::replacing([intent::Column::Kind, intent::Column::Key]));
static SETTLED: LazyLock<Removal<intent::Entity>> =
    LazyLock::new(|| Removal::by([intent::Column::Kind, intent::Column::Key, intent::Column::Generation]));
static TIMERS: LazyLock<Upsert<timer::Entity>> =
    LazyLock::new(|| Upsert::replacing([timer::Column::Name, timer::Column::Key]));
static CANCELLED: LazyLock<Removal<timer::Entity>> =
    LazyLock::new(|| Removal::by([timer::Column::Name, timer::Column::Key]));

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
    /// Whom that is about: it is sealed under their key, and an intent about somebody who is erased is dropped. Empty where it says
    /// nothing about anybody, and has to be done whoever is erased.
    pub subject: String,
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
    let withdrawn = intent::Entity::delete_by_id((kind.to_owned(), key.to_owned())).exec(tx.conn()).await;
    Ok(unwritten || withdrawn.map_err(db)?.rows_affected == 1)
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
    let delete = intent::Entity::delete_by_id((kind.to_owned(), intent.key.clone()));
    let deleted = delete.filter(intent::Column::Generation.eq(intent.generation)).exec(tx.conn()).await;
    Ok(deleted.map_err(db)?.rows_affected == 1)
}

/// Deletes the timer that fires; `false` when it was set to another time, cancelled, or has fired.
pub(super) async fn delete_timer(tx: &Tx, name: &str, key: &str, due: OffsetDateTime) -> Result<bool, Error> {
    let delete = timer::Entity::delete_by_id((name.to_owned(), key.to_owned()));
    let deleted = delete.filter(timer::Column::Due.eq(micros(due))).exec(tx.conn()).await;
    Ok(deleted.map_err(db)?.rows_affected == 1)
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

    fn personal(&mut self) -> Vec<(&str, &mut Vec<u8>)> {
        let intents = self.intents.values_mut().map(|owed| &mut owed.intent);
        intents
            .filter(|intent| !intent.payload.is_empty() && !intent.subject.is_empty())
            .map(|intent| (&*intent.subject, &mut intent.payload))
            .collect()
    }

    fn write(&mut self, script: &mut Script, now: OffsetDateTime) {
        let Self { intents, timers, settled } = std::mem::take(self);
        // What was settled may lead to another of its key.
        let follows = !settled.is_empty();
        SETTLED.write_each(script, settled);
        INTENTS.write(script, follows, intents.into_values().map(|owed| owed.row(now)));
        let (scheduled, cancelled): (Vec<_>, Vec<_>) = timers.into_iter().partition(|(_, timer)| timer.is_some());
        CANCELLED.write(script, cancelled.into_iter().map(|((name, key), _)| [name.into(), key.into()]));
        let rows = scheduled.into_iter().filter_map(|((name, key), timer)| Some(timer?.row(name, key)));
        TIMERS.write(script, false, rows);
    }
}

impl OwedIntent {
    fn row(self, now: OffsetDateTime) -> intent::Model {
        let Self { intent: NewIntent { kind, key, action, payload, .. }, generation, cause } = self;
        intent::Model {
            kind: kind.to_owned(),
            key,
            action,
            payload,
            generation,
            attempt: 0,
            due: micros(now),
            claimed_by: None,
            claimed_until: None,
            correlation: cause.correlation,
            causation: cause.causation,
            traceparent: cause.traceparent,
            last_error: None,
        }
    }
}

impl OwedTimer {
    fn row(self, name: String, key: String) -> timer::Model {
        let Self { due, payload, cause: Metadata { correlation, causation, traceparent, .. } } = self;
        timer::Model { name, key, due: micros(due), payload, correlation, causation, traceparent }
    }
}
