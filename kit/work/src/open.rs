//! What is open about one key, for whoever operates the service: calls that are owed, how attempts at calls failed, deadlines.

use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::from_micros;
use tradewind_store::Store;

use super::table::{attempt, intent, timer};

/// The most calls, and the most deadlines, that are told of.
const MOST: u64 = 100;
/// The most attempts: the latest.
const MOST_ATTEMPTS: u64 = 200;

/// What is open about one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Calls that are owed: up to 100.
    pub intents: Vec<OpenIntent>,
    /// Attempts that failed, of calls that are settled as well, oldest first: the latest 200.
    pub attempts: Vec<FailedAttempt>,
    /// Deadlines that are set: up to 100.
    pub timers: Vec<OpenTimer>,
}

/// A call that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    /// Which worker makes it.
    pub kind: String,
    /// What it concerns.
    pub key: String,
    /// What is to be done.
    pub action: String,
    /// How many attempts have failed.
    pub attempt: u32,
    /// When it is due.
    pub due: OffsetDateTime,
    /// Who has claimed it and until when, where that is written down.
    pub claim: Option<(String, OffsetDateTime)>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// The event that led to it, or empty.
    pub causation: String,
    /// The trace in which it was written.
    pub traceparent: String,
}

/// An attempt at a call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// Which worker made it.
    pub kind: String,
    /// What it concerned.
    pub key: String,
    /// What was to be done.
    pub action: String,
    /// Its number among the attempts of this call, from 1.
    pub attempt: u32,
    /// When it had failed.
    pub time: OffsetDateTime,
    /// Why.
    pub error: String,
}

/// A deadline that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTimer {
    /// Which worker fires it.
    pub name: String,
    /// What it concerns.
    pub key: String,
    /// When.
    pub due: OffsetDateTime,
}

/// What is open about a key: what has that key, or belongs to the flow of that name.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn open(store: &Store, key: &str) -> Result<Open, Error> {
    let of = intent::Column::Key.eq(key).or(intent::Column::Correlation.eq(key));
    let intents = intent::Entity::find().filter(of).order_by_asc(intent::Column::Due).limit(MOST);
    let of = attempt::Column::Key.eq(key).or(attempt::Column::Correlation.eq(key));
    let latest = attempt::Entity::find().filter(of).order_by_desc(attempt::Column::Time);
    let latest = latest.order_by_desc(attempt::Column::Attempt).limit(MOST_ATTEMPTS);
    let of = timer::Column::Key.eq(key).or(timer::Column::Correlation.eq(key));
    let timers = timer::Entity::find().filter(of).order_by_asc(timer::Column::Due).limit(MOST);
    let (intents, attempts, timers) = futures::try_join!(store.find(intents), store.find(latest), store.find(timers))?;
    Ok(Open {
        intents: intents.into_iter().map(intent::Model::into).collect(),
        attempts: attempts.into_iter().rev().map(attempt::Model::into).collect(),
        timers: timers.into_iter().map(timer::Model::into).collect(),
    })
}

impl From<intent::Model> for OpenIntent {
    fn from(row: intent::Model) -> Self {
        let intent::Model { kind, key, action, due, last_error, causation, traceparent, .. } = row;
        let claim = row.claimed_by.zip(row.claimed_until.map(from_micros));
        let (attempt, due) = (u32::try_from(row.attempt).unwrap_or_default(), from_micros(due));
        Self { kind, key, action, attempt, due, claim, last_error, causation, traceparent }
    }
}

impl From<attempt::Model> for FailedAttempt {
    fn from(row: attempt::Model) -> Self {
        let attempt::Model { kind, key, action, attempt, time, error, .. } = row;
        let attempt = u32::try_from(attempt).unwrap_or_default();
        Self { kind, key, action, attempt, time: from_micros(time), error }
    }
}

impl From<timer::Model> for OpenTimer {
    fn from(timer::Model { name, key, due, .. }: timer::Model) -> Self {
        Self { name, key, due: from_micros(due) }
    }
}
