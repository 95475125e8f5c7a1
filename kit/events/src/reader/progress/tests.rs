#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]
use std::time::Duration;

use async_nats::Subject;
use tokio::time::Instant;
use tradewind_broker::wire::{Entry, Frame};
use tradewind_store::{Cursor, Heads, LOG_FORKED, LogPage, Recorded};
use tradewind_testing::recorded;
use uuid::Uuid;

use super::{Changed, Next, Progress, Way};

const LOG: Uuid = Uuid::from_u128(900);
/// Longer than anything waits.
const LONG: Duration = Duration::from_secs(60);

fn id(position: u64) -> Uuid {
    Uuid::from_u128(position.into())
}

fn event(position: u64) -> Recorded {
    Recorded { id: id(position), position, ..recorded("order-1", position) }
}

/// A frame of these positions, whose events are wanted.
fn frame(positions: std::ops::RangeInclusive<u64>) -> Frame {
    let first = *positions.start();
    let entries = positions.map(|position| Entry { id: id(position), event: Some(event(position)) }).collect();
    Frame { incarnation: LOG, first, after: Some(id(first - 1)), entries }
}

fn page(positions: std::ops::RangeInclusive<u64>, head: u64) -> LogPage {
    let after = Some(id(positions.start() - 1)).filter(|id| !id.is_nil());
    LogPage { incarnation: LOG, head, partitions: 1, after, events: positions.map(event).collect() }
}

/// A reader that has read up to `position`, with messages coming.
fn at(position: u64, now: Instant) -> Progress {
    let mut progress = Progress::new(Way::Messages, now);
    let event = Some(id(position)).filter(|_| position > 0);
    progress.loaded(Some(Cursor { position, incarnation: LOG, event }));
    assert!(matches!(progress.next(now), Next::Ask(_)), "it asks what it has missed");
    answered(&mut progress, LogPage { events: Vec::new(), after: event, ..page(1..=1, position) }, now).unwrap();
    progress
}

fn answered(progress: &mut Progress, page: LogPage, now: Instant) -> Result<Option<Changed>, tradewind_domain::Error> {
    progress.answered(page, 256, |_| true, now)
}

/// The positions that are to be handled next.
fn run(progress: &mut Progress, now: Instant) -> Vec<u64> {
    match progress.next(now) {
        Next::Handle(run) => run.events.iter().map(|event| event.position).collect(),
        _ => Vec::new(),
    }
}

/// For how long there is nothing to do.
fn rests(progress: &mut Progress, now: Instant) -> Duration {
    match progress.next(now) {
        Next::Rest(until) => until - now,
        _ => panic!("there is something to do"),
    }
}

fn asks(progress: &mut Progress, now: Instant) -> Option<u32> {
    match progress.next(now) {
        Next::Ask(limit) => Some(limit),
        _ => None,
    }
}

#[test]
fn nothing_is_handled_before_the_owner_has_said_which_log_it_is() {
    let now = Instant::now();
    let mut progress = Progress::new(Way::Closed, now);
    progress.loaded(None);
    progress.take(frame(1..=3), now);
    assert_eq!(asks(&mut progress, now), Some(256));
    assert_eq!(answered(&mut progress, page(1..=2, 3), now).unwrap(), None);
    progress.take(frame(1..=3), now);
    assert_eq!(run(&mut progress, now), [1, 2, 3]);
}

#[test]
fn of_a_frame_only_what_was_not_handled_is_taken() {
    let now = Instant::now();
    let mut progress = at(5, now);
    progress.take(frame(1..=5), now);
    assert!(run(&mut progress, now).is_empty());
    progress.take(frame(4..=8), now);
    assert_eq!((run(&mut progress, now), progress.lag()), (vec![6, 7, 8], 3));
}

#[test]
fn a_gap_is_asked_for_at_once_and_again_after_a_while_where_the_owner_is_away() {
    let now = Instant::now();
    let mut progress = at(5, now);
    progress.take(frame(9..=12), now);
    assert_eq!(asks(&mut progress, now), Some(3));
    assert_eq!(progress.not_answered(u64::MAX, now), 0);
    let wait = rests(&mut progress, now);
    assert!(wait > Duration::ZERO && wait < LONG);
    assert_eq!(asks(&mut progress, now + wait), Some(3));
    assert_eq!(progress.not_answered(u64::MAX, now), 1);
    assert!(rests(&mut progress, now) > wait, "the more often in vain, the longer it waits");
    answered(&mut progress, page(6..=8, 12), now).unwrap();
    assert_eq!(run(&mut progress, now), (6..=12).collect::<Vec<_>>());
}

#[test]
fn a_heartbeat_ahead_of_the_cursor_leads_to_a_question_a_moment_later() {
    let now = Instant::now();
    let mut progress = at(5, now);
    let quiet = rests(&mut progress, now);
    let heads = |incarnation, position| Heads { incarnation, positions: vec![position] };
    progress.heard(&heads(LOG, 5), 0, now);
    assert_eq!(rests(&mut progress, now), quiet);
    progress.heard(&heads(LOG, 7), 0, now);
    let moment = rests(&mut progress, now);
    assert!(moment > Duration::ZERO && moment < quiet);
    assert_eq!(progress.lag(), 2);
    progress.heard(&heads(Uuid::from_u128(901), 7), 0, now);
    assert_eq!(asks(&mut progress, now), Some(256), "another log is no matter of moments");
}

#[test]
fn a_message_of_another_log_is_not_taken_and_leads_to_a_question() {
    let now = Instant::now();
    let mut progress = at(5, now);
    progress.take(Frame { incarnation: Uuid::from_u128(901), ..frame(6..=7) }, now);
    assert_eq!((asks(&mut progress, now), progress.lag()), (Some(256), 0));
}

#[test]
fn what_does_not_follow_what_was_read_is_dropped_and_the_owner_asked() {
    let now = Instant::now();
    let mut progress = at(5, now);
    progress.take(Frame { after: Some(Uuid::from_u128(55)), ..frame(6..=7) }, now);
    assert_eq!(asks(&mut progress, now), Some(256));
    assert_eq!(asks(&mut progress, now), Some(256), "until it has answered");
    answered(&mut progress, page(6..=7, 7), now).unwrap();
    assert_eq!(run(&mut progress, now), [6, 7]);
}

#[test]
fn a_log_that_is_not_the_one_that_was_read_ends_the_reading() {
    let now = Instant::now();
    let why = |page| answered(&mut at(5, now), page, now).unwrap().map(|(reason, _)| reason);
    assert_eq!(why(page(6..=7, 7)), None);
    assert_eq!(why(LogPage { after: Some(Uuid::from_u128(55)), ..page(6..=7, 7) }), Some(LOG_FORKED));
    assert_eq!(why(LogPage { events: Vec::new(), ..page(5..=5, 4) }), Some("LOG_TOO_SHORT"));
    let other = |after| LogPage { incarnation: Uuid::from_u128(901), after, ..page(6..=7, 7) };
    assert_eq!(why(other(None)), Some("LOG_REPLACED"));
    assert_eq!(why(other(Some(id(5)))), None, "up to the cursor it is the same");
    let elsewhere = LogPage { after: Some(id(5)), ..page(8..=9, 9) };
    assert!(answered(&mut at(5, now), elsewhere, now).is_err(), "a page that begins elsewhere is none");
}

#[test]
fn a_full_page_is_followed_by_the_next_at_once() {
    let now = Instant::now();
    let mut progress = at(0, now);
    progress.answered(page(1..=2, 9), 2, |_| true, now).unwrap();
    assert_eq!(run(&mut progress, now), [1, 2]);
    progress.reached(progress.place(2, Some(id(2))), now);
    progress.moved(now);
    assert_eq!(asks(&mut progress, now), Some(256));
}

#[test]
fn events_that_nobody_declared_are_saved_a_little_later_or_when_they_are_many() {
    let now = Instant::now();
    let mut progress = at(0, now);
    progress.passed_over(10, Some(id(10)), now);
    let later = rests(&mut progress, now);
    assert!(later < LONG && matches!(progress.next(now + later), Next::Save));
    assert!(matches!(progress.next(now + later), Next::Rest(_)), "it is told once");
    progress.not_saved(now);
    progress.reached(progress.here(), now);
    assert!(rests(&mut progress, now) > later);
    progress.passed_over(5_000, Some(id(5_000)), now);
    assert!(matches!(progress.next(now), Next::Save));
}

#[test]
fn what_is_committed_is_acknowledged_a_little_later_or_at_the_end() {
    let now = Instant::now();
    let mut progress = at(0, now);
    let committed = |progress: &mut Progress, position| {
        progress.owes(position, Subject::from_static("reply"), now);
        progress.take(frame(position..=position), now);
        assert_eq!(run(progress, now), [position]);
        progress.reached(progress.place(position, Some(id(position))), now);
        progress.moved(now);
    };
    committed(&mut progress, 1);
    committed(&mut progress, 2);
    let later = rests(&mut progress, now);
    assert!(matches!(progress.next(now + later), Next::Acknowledge(_)));
    assert_eq!(progress.last_acknowledgement(), None);
    committed(&mut progress, 3);
    assert!(progress.last_acknowledgement().is_some());
    committed(&mut progress, 4);
    progress.goes_by(Way::Closed, now);
    assert_eq!(progress.last_acknowledgement(), None, "its connection is gone");
    progress.owes(4, Subject::from_static("again"), now);
    assert!(progress.last_acknowledgement().is_some(), "what is handled may come again");
}

#[test]
fn no_more_is_taken_than_can_be_kept_unless_something_is_missing() {
    let now = Instant::now();
    let mut progress = at(5, now);
    progress.take(frame(6..=905), now);
    assert!(!progress.has_room());
    let mut progress = at(5, now);
    progress.take(frame(7..=906), now);
    assert!(progress.has_room());
}

#[test]
fn how_long_it_is_behind_counts_from_the_oldest_event_that_is_known() {
    let (now, today) = (Instant::now(), time::macros::datetime!(2026-11-21 10:00 UTC));
    let minutes = |minutes: i64| time::Duration::minutes(minutes);
    let mut progress = at(5, now);
    progress.look(today);
    assert_eq!(progress.behind_since(), None);
    progress.heard(&Heads { incarnation: LOG, positions: vec![7] }, 0, now);
    progress.look(today);
    assert_eq!(progress.behind_since(), Some(today), "nobody knows how old it is");
    let old = |position| Recorded { time: today - minutes(9), ..event(position) };
    let entries = vec![Entry { id: id(6), event: Some(old(6)) }];
    progress.take(Frame { incarnation: LOG, first: 6, after: Some(id(5)), entries }, now);
    progress.look(today + minutes(1));
    assert_eq!(progress.behind_since(), Some(today - minutes(9)));
}
