//! What the contracts declare and no build refuses.

use std::collections::BTreeSet;
use std::path::Path;

use contracts::reactions::{REACTIONS, Reaction};
use contracts::tables::{EVENTS, Event, METHODS};
use contracts::tradewind::options::v1::Role;

/// The context of `tradewind.<context>.v1.X`.
pub(crate) fn context_of(full_name: &str) -> &str {
    full_name.split('.').nth(1).unwrap_or_default()
}

/// A reservation, a charge or a booking hides behind no other role: whoever publishes what the order
/// waits for has a forward reaction.
#[test]
fn every_participant_that_takes_something_on_declares_it() {
    for context in ["inventory", "payment", "shipping"] {
        let own = REACTIONS.iter().filter(|reaction| reaction.context == context);
        let forward = own.filter(|reaction| reaction.role == Role::Forward).count();
        assert_eq!(forward, 1, "{context} declares {forward} forward reactions");
    }
}

/// `UPDATE_GOLDEN=1 cargo test -p system-tests` writes the file anew after a wanted change.
#[test]
fn the_service_graph_equals_its_golden_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/service-graph.txt");
    let graph = graph();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &graph).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let new: Vec<&str> = graph.lines().filter(|edge| !golden.lines().any(|known| known == *edge)).collect();
    let gone: Vec<&str> = golden.lines().filter(|edge| !graph.lines().any(|known| known == *edge)).collect();
    assert!(new.is_empty() && gone.is_empty(), "the service graph changed\nnew: {new:#?}\ngone: {gone:#?}");
}

/// Who calls whom and who reacts to what, one edge a line.
fn graph() -> String {
    let mut edges = BTreeSet::new();
    for method in METHODS {
        let name = method.path.trim_start_matches('/').replace('/', ".");
        edges.extend(method.callers.iter().map(|caller| format!("{caller} calls {name}")));
    }
    for Reaction { context, event, name, undo, .. } in REACTIONS {
        let undone = undo.map(|undo| format!(", undone by {undo}")).unwrap_or_default();
        edges.insert(format!("{context} reacts to {event}: {name}{undone}"));
        edges.insert(format!("{context} reads the log of {}", context_of(event)));
    }
    edges.into_iter().map(|edge| edge + "\n").collect()
}

/// The event that `name` is, with what it expects.
fn event(name: &str) -> &'static Event {
    EVENTS.iter().find(|event| event.name == name).unwrap()
}

/// What somebody who has to react to an event says to whoever is expected to go on.
fn parts_in(asks: &Event) -> impl Iterator<Item = &'static str> {
    let owner = context_of(asks.any_of[0]);
    let takes_part = |each: &&Reaction| each.event == asks.name && each.role != Role::Observe && each.context != owner;
    let services: BTreeSet<&str> = REACTIONS.iter().filter(takes_part).map(|each| each.context).collect();
    let hears = move |each: &&Reaction| each.context == owner && each.role != Role::Observe;
    REACTIONS.iter().filter(hears).map(|each| each.event).filter(move |event| services.contains(context_of(event)))
}

/// Whatever says what has to follow it, whatever may follow, and whatever is a part of that is followed: a step is not overlooked because
/// somebody forgot.
#[test]
fn analytics_follows_every_event_that_expects_or_is_expected() {
    let expects = EVENTS.iter().filter(|event| !event.any_of.is_empty());
    let of = |event: &'static Event| event.any_of.iter().copied().chain([event.name]).chain(parts_in(event));
    let wanted: BTreeSet<&str> = expects.flat_map(of).collect();
    let follows = REACTIONS.iter().filter(|each| each.context == "analytics" && each.name.starts_with("follow_on_"));
    let followed: BTreeSet<&str> = follows.clone().map(|each| each.event).collect();
    assert_eq!(followed, wanted, "in proto/tradewind/analytics/v1/service.proto");
    assert!(follows.clone().all(|each| each.role == Role::Observe), "nobody waits for analytics");
}

/// An answer is known by its place in the stream of what it follows, or else by its cause: one that is expected by both ways would
/// be known by neither.
#[test]
fn what_is_expected_is_all_of_one_stream_and_has_a_time() {
    for asks in EVENTS.iter().filter(|event| !event.any_of.is_empty()) {
        let of = |event: &Event| (event.owner, event.aggregate);
        let own = asks.any_of.iter().filter(|answer| of(event(answer)) == of(asks)).count();
        assert!(own == 0 || own == asks.any_of.len(), "{} expects events of its own stream and of others", asks.name);
        assert!(asks.within.is_some(), "{} does not say within which time", asks.name);
    }
}
