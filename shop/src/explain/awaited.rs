//! What has to follow an order's events and has not yet: from whom it is awaited, why it is late, and what would help.

use std::collections::BTreeSet;

use contracts::tradewind::consumer::v1::{Intent, Stuck};
use contracts::tradewind::options::v1::Role;
use time::OffsetDateTime;

use super::facts::Facts;
use super::remedy::Remedy;
use super::steps::{Happened, Reached, Reader, Step, What, last, parked, partitions};
use crate::moment;

/// Something that is awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// The events of which one has to follow.
    pub any_of: Vec<String>,
    /// The event that they have to follow.
    pub after: String,
    /// The service whose turn it is.
    pub from: String,
    /// When the flow counts as stuck.
    pub until: Option<OffsetDateTime>,
    /// How it stands there.
    pub why: String,
    /// What would help; absent where it is just not due.
    pub remedy: Option<Remedy>,
}

/// An event with its owner and its time.
type Seen<'a> = (OffsetDateTime, &'static str, &'a Happened);

/// All that is awaited, by the event that it has to follow. An event whose successor is on its way, because what it led to awaits
/// something itself, is left out.
pub fn awaited(facts: &Facts, steps: &[Step]) -> Vec<Awaited> {
    let seen: Vec<Seen<'_>> = steps
        .iter()
        .filter_map(|step| match &step.what {
            What::Event(happened) => Some((step.at, step.service, &**happened)),
            What::Attempt(_) => None,
        })
        .collect();
    let open: Vec<_> = seen.iter().filter(|one| is_unanswered(one, &seen)).collect();
    let led: BTreeSet<&str> = open.iter().flat_map(|(.., happened)| ancestors(happened, &seen)).collect();
    let last_ones = open.into_iter().filter(|(.., happened)| !led.contains(&*happened.record.id));
    last_ones.flat_map(|one| of_one(facts, one, &seen)).collect()
}

fn is_unanswered((at, _, asks): &Seen<'_>, seen: &[Seen<'_>]) -> bool {
    let any_of = asks.contract().map_or(&[][..], |contract| contract.any_of);
    let answers = |(time, _, other): &Seen<'_>| {
        let (asked, answer) = (&asks.record, &other.record);
        any_of.contains(&&*answer.r#type)
            && if answer.stream == asked.stream {
                answer.version > asked.version
            } else {
                time >= at || answer.causation == asked.id
            }
    };
    !any_of.is_empty() && !seen.iter().any(answers)
}

/// The ids of the events that led to this one.
fn ancestors<'a>(happened: &'a Happened, seen: &[Seen<'a>]) -> Vec<&'a str> {
    let mut ids = Vec::new();
    let mut cause = &*happened.record.causation;
    while !ids.contains(&cause)
        && let Some((.., origin)) = seen.iter().find(|(.., other)| other.record.id == cause)
    {
        ids.push(cause);
        cause = &origin.record.causation;
    }
    ids
}

fn of_one(facts: &Facts, (at, owner, happened): &Seen<'_>, seen: &[Seen<'_>]) -> Vec<Awaited> {
    let Some(contract) = happened.contract() else { return Vec::new() };
    let awaits = |from: &str, (why, remedy): (String, Option<Remedy>)| Awaited {
        any_of: contract.any_of.iter().map(|name| last(name).to_owned()).collect(),
        after: happened.name().to_owned(),
        from: from.to_owned(),
        until: contract.within.and_then(|within| Some(*at + time::Duration::try_from(within).ok()?)),
        why,
        remedy,
    };
    // Whoever has to react to it and has not; or else to something that came after it.
    let mut waiting = held_up(facts, owner, happened, true);
    if waiting.is_empty() {
        let later = seen.iter().filter(|(time, ..)| time >= at);
        waiting = later.flat_map(|(_, owner, other)| held_up(facts, owner, other, false)).collect();
    }
    if waiting.is_empty() {
        let from = contract.any_of.first().and_then(|name| name.split('.').nth(1)).unwrap_or(owner);
        return vec![awaits(from, at_work(facts, from))];
    }
    let mut all: Vec<_> = waiting.into_iter().map(|(from, why)| awaits(from, why)).collect();
    // A service may have more than one reaction to an event.
    all.dedup();
    all
}

type Held = (&'static str, (String, Option<Remedy>));

/// The services whose reaction to an event is outstanding, and why; where that is not known because they do not answer, only if
/// `or_away`.
fn held_up(facts: &Facts, owner: &str, happened: &Happened, or_away: bool) -> Vec<Held> {
    let is_outstanding = |reader: &&Reader| match reader.reached {
        Reached::Handled => false,
        Reached::NotYet | Reached::Parked => true,
        Reached::Unknown => or_away && facts.away.contains_key(reader.service),
    };
    let outstanding = happened.readers.iter().filter(|reader| reader.role != Role::Observe).filter(is_outstanding);
    outstanding.map(|reader| (reader.service, held_by(facts, reader.service, owner, happened))).collect()
}

/// What keeps a service from an event.
fn held_by(facts: &Facts, service: &str, owner: &str, happened: &Happened) -> (String, Option<Remedy>) {
    let name = happened.name();
    let Some(said) = facts.said.get(service) else {
        let why = format!("{service} does not answer; whether it has handled {name} is not known");
        return (why, Some(Remedy::Status));
    };
    if let Some(stream) = parked(said, owner, &happened.record) {
        let since = moment(stream.park_time.as_ref());
        let (attempts, reason, error) = (stream.attempts, &stream.reason, &stream.error);
        let why = format!("{name} is in quarantine there since {since}, tried {attempts} times: {reason}: {error}");
        let (stream, consumer) = (stream.stream.clone(), stream.consumer.clone());
        let replay = Remedy::Replay { service: service.to_owned(), source: owner.to_owned(), stream, consumer };
        return (why, Some(replay));
    }
    for (consumer, partition) in partitions(said, owner, happened.record.partition) {
        if let Some(pause) = &consumer.pause {
            let since = moment(pause.start_time.as_ref());
            let why = format!("its consumer is paused since {since} by {}: {}", pause.principal, pause.reason);
            return (why, Some(Remedy::Resume { service: service.to_owned(), consumer: consumer.consumer.clone() }));
        }
        if let Some(Stuck { reason, error, start_time }) = partition.and_then(|partition| partition.stuck.as_ref()) {
            let since = moment(start_time.as_ref());
            let why = format!("its reader is stuck since {since} before {name}: {reason}: {error}");
            return (why, Some(Remedy::Readers { service: service.to_owned() }));
        }
    }
    (format!("it has not come to {name} yet"), None)
}

/// How it stands with a service that has everything it needs.
fn at_work(facts: &Facts, service: &str) -> (String, Option<Remedy>) {
    let Some(said) = facts.said.get(service) else {
        return (format!("{service} does not answer"), Some(Remedy::Status));
    };
    let call = |Intent { kind, action, attempt, due_time, last_error, .. }: &Intent| match attempt {
        0 => format!("its call ({kind} {action}) has no answer yet"),
        _ => {
            let due = moment(due_time.as_ref());
            format!("its call ({kind} {action}) has failed {attempt} times, the next is due {due}: {last_error}")
        }
    };
    let calls: Vec<_> = said.progress.intents.iter().map(call).collect();
    let why = if calls.is_empty() { "nothing keeps it".to_owned() } else { calls.join("; ") };
    (why, None)
}
