//! Consumers and quarantine between the wire and the kit.

use contracts::tradewind::consumer::v1;
use tonic::Status;
use tradewind_domain::request::{Violations, invalid_page_token};
use tradewind_domain::{Error, is_text};
use tradewind_events::Stuck;
use tradewind_mesh::status;
use tradewind_operate::{
    Act, ActKind, ActOutcome, CONSUMER_UNKNOWN, Consumer, Drained, Outcome, ParkedEvent, ParkedStream, ParkedSummary,
    Partition, Pause, Projected, Source, Tried,
};
use tradewind_projections::Build;
use tradewind_sql::timestamp;
use tradewind_store::StreamName;
use tradewind_work::{FailedAttempt, Open, OpenIntent, OpenTimer};

use crate::event_log::record;

/// Bytes of a name; longer ones exist nowhere.
const LONGEST_NAME: usize = 256;
const LONGEST_REASON: usize = 500;

/// The stream that a request names.
pub(super) fn stream(consumer: String, source: String, stream: String) -> Result<ParkedStream, Error> {
    let mut violations = Violations::default();
    for (field, name) in [("consumer", &consumer), ("source", &source), ("stream", &stream)] {
        let sound = (1..=LONGEST_NAME).contains(&name.len());
        violations.check(sound, field, "NAME_INVALID", "must be 1 to 256 bytes");
    }
    violations.finish()?;
    Ok(ParkedStream { consumer, source, stream: StreamName::from(stream) })
}

/// Why an operator does something.
pub(super) fn reason(text: String) -> Result<String, Error> {
    match text.trim().chars().count() {
        1..=LONGEST_REASON if is_text(text.trim()) => Ok(text.trim().to_owned()),
        _ => Err(Error::invalid(
            "reason",
            "REASON_INVALID",
            "must be 1 to 500 characters that say why, none of them control, invisible or direction-changing",
        )),
    }
}

/// The last stream of the page before. Neither a consumer nor a context has a slash in its name.
pub(super) fn stream_token(token: &str) -> Result<Option<ParkedStream>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let mut parts = token.splitn(3, '/').map(ToOwned::to_owned);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(consumer), Some(source), Some(name)) => {
            stream(consumer, source, name).map(Some).map_err(|_| invalid_page_token())
        }
        _ => Err(invalid_page_token()),
    }
}

pub(super) fn token_of(v1::ParkedStream { consumer, source, stream, .. }: &v1::ParkedStream) -> String {
    format!("{consumer}/{source}/{stream}")
}

/// What refuses what is asked of a consumer, as whoever asks hears it.
pub(super) fn refused(consumer: &str) -> impl FnOnce(Error) -> Status {
    move |error| status(error.of::<v1::Consumer>(consumer))
}

/// The same of a projection.
pub(super) fn refused_projection(projection: &str) -> impl FnOnce(Error) -> Status {
    move |error| status(error.of::<v1::Projection>(projection))
}

pub(super) fn projection(Projected { standing, consumer, events, total, built }: Projected) -> v1::Projection {
    let build = standing.build.map(|Build { version, begun, failure }| v1::ProjectionBuild {
        version,
        start_time: Some(timestamp(begun)),
        events: built,
        failure: failure.unwrap_or_default(),
    });
    v1::Projection {
        projection: standing.name,
        version: standing.version,
        consumer,
        events,
        total_events: total,
        start_time: standing.since.map(timestamp),
        ask_time: standing.asked.map(timestamp),
        build,
    }
}

/// The same of a stream in quarantine.
pub(super) fn refused_of(ParkedStream { consumer, source, stream }: &ParkedStream) -> impl FnOnce(Error) -> Status {
    move |error| match error.reason {
        CONSUMER_UNKNOWN => refused(consumer)(error),
        _ => status(error.of::<v1::ParkedStream>(format!("{consumer}/{source}/{stream}"))),
    }
}

/// The position of an event in quarantine, which is the token of what follows it.
pub(super) fn position_of(parked: &v1::ParkedEvent) -> String {
    parked.event.as_ref().map_or(0, |event| event.position).to_string()
}

pub(super) fn consumer(Consumer { name, sources, pause: paused }: Consumer) -> v1::Consumer {
    v1::Consumer { consumer: name, sources: sources.into_iter().map(source).collect(), pause: paused.map(pause) }
}

fn source(Source { name, partitions, parked_streams, parked_events }: Source) -> v1::Source {
    let stuck = |Stuck { reason, error, since, .. }| v1::Stuck { reason, error, start_time: Some(timestamp(since)) };
    let partition = |Partition { number, position, head, updated, stuck: kept }| v1::Partition {
        partition: u32::from(number),
        position,
        head,
        update_time: updated.map(timestamp),
        stuck: kept.map(stuck),
    };
    let partitions = partitions.into_iter().map(partition).collect();
    v1::Source { source: name, partitions, parked_streams, parked_events }
}

pub(super) fn pause(Pause { by, reason, since, .. }: Pause) -> v1::Pause {
    v1::Pause { principal: by, reason, start_time: Some(timestamp(since)) }
}

pub(super) fn summary(ParkedSummary { stream, first, queued }: ParkedSummary) -> v1::ParkedStream {
    v1::ParkedStream {
        consumer: stream.consumer,
        source: stream.source,
        stream: stream.stream.to_string(),
        partition: first.event.partition.into(),
        position: first.event.position,
        r#type: first.event.type_name,
        reason: first.reason,
        error: first.error,
        attempts: first.attempts,
        queued,
        park_time: Some(timestamp(first.since)),
    }
}

pub(super) fn parked(ParkedEvent { event, reason, error, attempts, since }: ParkedEvent) -> v1::ParkedEvent {
    v1::ParkedEvent { event: Some(record(event)), reason, error, attempts, park_time: Some(timestamp(since)) }
}

pub(super) fn progress(
    consumers: Vec<Consumer>,
    parked: Vec<ParkedSummary>,
    Open { intents, attempts, timers }: Open,
) -> v1::GetProgressResponse {
    v1::GetProgressResponse {
        consumers: consumers.into_iter().map(consumer).collect(),
        parked: parked.into_iter().map(summary).collect(),
        intents: intents.into_iter().map(intent).collect(),
        attempts: attempts.into_iter().map(attempt).collect(),
        timers: timers.into_iter().map(timer).collect(),
    }
}

fn intent(
    OpenIntent { kind, key, action, attempt, due, claim, last_error, causation, traceparent }: OpenIntent,
) -> v1::Intent {
    let (claimed_by, claim_end_time) = claim.map(|(by, until)| (by, timestamp(until))).unzip();
    v1::Intent {
        kind,
        key,
        action,
        attempt,
        due_time: Some(timestamp(due)),
        claimed_by: claimed_by.unwrap_or_default(),
        claim_end_time,
        last_error: last_error.unwrap_or_default(),
        causation,
        traceparent,
    }
}

fn attempt(FailedAttempt { kind, key, action, attempt, time, error }: FailedAttempt) -> v1::Attempt {
    v1::Attempt { kind, key, action, attempt, time: Some(timestamp(time)), error }
}

fn timer(OpenTimer { name, key, due }: OpenTimer) -> v1::Timer {
    v1::Timer { name, key, due_time: Some(timestamp(due)) }
}

pub(super) fn drained(Drained { events, left }: Drained) -> (Vec<v1::TriedEvent>, u64) {
    (events.into_iter().map(tried).collect(), left)
}

fn tried(Tried { event, from_owner, outcome }: Tried) -> v1::TriedEvent {
    let (outcome, error) = match outcome {
        Outcome::Handled => (v1::Outcome::Handled, None),
        Outcome::Discarded => (v1::Outcome::Discarded, None),
        Outcome::Failed(error) => (v1::Outcome::Failed, Some(error)),
    };
    let (reason, error) = error.map(|error| (error.reason.to_owned(), error.message)).unwrap_or_default();
    v1::TriedEvent {
        position: event.position,
        event_id: event.id.to_string(),
        r#type: event.type_name,
        from_owner,
        outcome: outcome.into(),
        reason,
        error,
    }
}

pub(super) fn act(act: Act) -> v1::Act {
    let kind = match act.kind {
        ActKind::Replay => v1::ActKind::Replay,
        ActKind::Discard => v1::ActKind::Discard,
        ActKind::Pause => v1::ActKind::Pause,
        ActKind::Resume => v1::ActKind::Resume,
        ActKind::Rebuild => v1::ActKind::Rebuild,
    };
    let outcome = match act.outcome {
        ActOutcome::Done => v1::ActOutcome::Done,
        ActOutcome::Failed => v1::ActOutcome::Failed,
        ActOutcome::Refused => v1::ActOutcome::Refused,
    };
    v1::Act {
        number: act.number,
        time: Some(timestamp(act.time)),
        principal: act.principal,
        kind: kind.into(),
        consumer: act.consumer,
        source: act.source,
        stream: act.stream,
        position: act.position,
        event_id: act.event_id.map(|id| id.to_string()).unwrap_or_default(),
        outcome: outcome.into(),
        detail: act.detail,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_is_the_last_stream_of_a_page() {
        let named = |name: &str| stream("audit".to_owned(), "bank".to_owned(), name.to_owned()).unwrap();
        for name in ["account-1", "account-a/b"] {
            let ParkedStream { consumer, source, stream } = named(name);
            let last = v1::ParkedStream { consumer, source, stream: stream.to_string(), ..v1::ParkedStream::default() };
            assert_eq!(stream_token(&token_of(&last)).unwrap(), Some(named(name)));
        }
        assert_eq!(stream_token("").unwrap(), None);
        for broken in ["audit", "audit/bank", "audit//x"] {
            assert_eq!(stream_token(broken).unwrap_err().reason, "INVALID_PAGE_TOKEN", "{broken}");
        }
    }

    #[test]
    fn a_stream_has_three_names_and_a_reason_says_something() {
        let refused = stream(String::new(), "bank".to_owned(), "x".repeat(257)).unwrap_err();
        let fields: Vec<_> = refused.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!((refused.reason, fields), ("NAME_INVALID", vec!["consumer", "stream"]));
        assert_eq!(reason(" broken by hand ".to_owned()).unwrap(), "broken by hand");
        for text in [" ".to_owned(), "x".repeat(501)] {
            assert_eq!(reason(text).unwrap_err().reason, "REASON_INVALID");
        }
    }
}
