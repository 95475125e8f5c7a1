//! What happened to an order, in order of time: events, and attempts at calls that failed.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use contracts::reactions::REACTIONS;
use contracts::tables::{EVENTS, Event};
use contracts::tradewind::consumer::v1::{Attempt, Consumer, ParkedStream, Partition};
use contracts::tradewind::eventlog::v1::EventRecord;
use contracts::tradewind::options::v1::Role;
use prost_types::Timestamp;
use time::OffsetDateTime;

use super::facts::{Facts, Said};
use crate::{dynamic_json, remark};

/// One thing that happened.
pub struct Step {
    pub at: OffsetDateTime,
    pub service: &'static str,
    pub what: What,
}

pub enum What {
    Event(Box<Happened>),
    Attempt(Attempt),
}

/// An event, and how far those are who react to it.
pub struct Happened {
    pub record: EventRecord,
    /// What its facts say of a decision.
    pub remark: String,
    /// It takes something back.
    pub compensates: bool,
    pub readers: Vec<Reader>,
}

/// Somebody who reacts to an event.
#[derive(Clone, Copy)]
pub struct Reader {
    pub service: &'static str,
    pub reaction: &'static str,
    pub role: Role,
    pub reached: Reached,
}

/// Whether a reader has come to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    Handled,
    NotYet,
    Parked,
    /// It does not answer, or the event is not in its owner's log yet.
    Unknown,
}

impl Happened {
    /// Its name without its package.
    pub fn name(&self) -> &str {
        last(&self.record.r#type)
    }

    /// What the contracts say of it.
    pub fn contract(&self) -> Option<&'static Event> {
        EVENTS.iter().find(|event| event.name == self.record.r#type)
    }
}

/// `OrderPlaced` of `tradewind.ordering.v1.OrderPlaced`.
pub(super) fn last(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

/// Everything that happened, oldest first by the clocks of those who recorded it.
///
/// # Errors
/// An event without a time.
pub fn steps(facts: &Facts) -> Result<Vec<Step>> {
    let records = facts.said.iter().flat_map(|(service, said)| said.events.iter().map(|record| (*service, record)));
    let origins: BTreeMap<&str, (&str, &EventRecord)> =
        records.clone().map(|(service, record)| (&*record.id, (service, record))).collect();
    let mut steps = Vec::new();
    for (service, record) in records {
        let happened = Happened {
            remark: remark(&dynamic_json(&record.r#type, &record.payload).unwrap_or_default()),
            compensates: compensates(service, record, &origins),
            readers: readers(facts, service, record),
            record: record.clone(),
        };
        steps.push(Step { at: moment(record.time)?, service, what: What::Event(Box::new(happened)) });
    }
    for (service, said) in &facts.said {
        for attempt in &said.progress.attempts {
            steps.push(Step { at: moment(attempt.time)?, service, what: What::Attempt(attempt.clone()) });
        }
    }
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}

/// A time as contracts write it.
///
/// # Errors
/// Where it is absent, or none.
pub(super) fn moment(time: Option<Timestamp>) -> Result<OffsetDateTime> {
    let time = time.context("something without a time")?;
    Ok(OffsetDateTime::from_unix_timestamp(time.seconds)? + time::Duration::nanoseconds(i64::from(time.nanos)))
}

/// Whether an event comes, directly or by others of its service, of a reaction that takes something back.
fn compensates(service: &str, record: &EventRecord, origins: &BTreeMap<&str, (&str, &EventRecord)>) -> bool {
    let mut cause = origins.get(&*record.causation);
    // As many steps as there are events, whatever they say led to them.
    for _ in 0..origins.len() {
        let Some((owner, origin)) = cause else { return false };
        let is_undone = |each: &&contracts::reactions::Reaction| each.context == service && each.event == origin.r#type;
        if REACTIONS.iter().filter(is_undone).any(|each| each.role == Role::Compensation) {
            return true;
        }
        if *owner != service {
            return false;
        }
        cause = origins.get(&*origin.causation);
    }
    false
}

fn readers(facts: &Facts, owner: &str, record: &EventRecord) -> Vec<Reader> {
    let reactions = REACTIONS.iter().filter(|each| each.event == record.r#type);
    let reader = |each: &contracts::reactions::Reaction| {
        let reached = facts.said.get(each.context).map_or(Reached::Unknown, |said| reached(said, owner, record));
        Reader { service: each.context, reaction: each.name, role: each.role, reached }
    };
    reactions.map(reader).collect()
}

fn reached(said: &Said, owner: &str, record: &EventRecord) -> Reached {
    if parked(said, owner, record).is_some() {
        return Reached::Parked;
    }
    let mut cursors = partitions(said, owner, record.partition).peekable();
    if record.position == 0 || cursors.peek().is_none() {
        return Reached::Unknown;
    }
    // One that is stuck may have read another history.
    let has_passed = |partition: &Partition| partition.stuck.is_none() && partition.position >= record.position;
    let is_past = cursors.all(|(_, partition)| partition.is_some_and(has_passed));
    if is_past { Reached::Handled } else { Reached::NotYet }
}

/// The stream in quarantine in which a service has this event.
pub(super) fn parked<'a>(said: &'a Said, owner: &str, record: &EventRecord) -> Option<&'a ParkedStream> {
    let holds = |stream: &&ParkedStream| {
        stream.source == owner && stream.stream == record.stream && record.position >= stream.position
    };
    said.progress.parked.iter().find(holds)
}

/// How far each of a service's consumers that read a context's log has read one partition of it; `None` where it has not begun.
pub(super) fn partitions<'a>(
    said: &'a Said,
    owner: &'a str,
    number: u32,
) -> impl Iterator<Item = (&'a Consumer, Option<&'a Partition>)> {
    said.progress.consumers.iter().flat_map(move |consumer| {
        let sources = consumer.sources.iter().filter(move |source| source.source == owner);
        sources.map(move |source| (consumer, source.partitions.iter().find(|each| each.partition == number)))
    })
}
