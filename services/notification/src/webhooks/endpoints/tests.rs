#![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]
use super::*;

fn row(id: &str, types: &str) -> endpoint::Model {
    endpoint::Model {
        endpoint_id: id.to_owned(),
        url: Hidden("https://a.example/".to_owned()),
        event_types: types.to_owned(),
        description: String::new(),
        secret: Hidden(String::new()),
        previous_secret: None,
        previous_until: None,
        enabled: true,
        disabled_reason: String::new(),
        created: 0,
        updated: 0,
        failing_since: None,
    }
}

#[test]
fn a_look_that_finds_what_was_known_tells_nobody() {
    let (mut seen, at) = (Seen::default(), Instant::now());
    assert!(seen.take_in(1, at, vec![row("a", "x y"), row("b", "y")]));
    let before = Arc::clone(&seen.known);
    assert!(!seen.take_in(2, at, vec![row("b", "y"), row("a", "x y")]));
    assert!(before.all().all(|endpoint| seen.known.has(endpoint)), "each is the same");

    assert!(seen.take_in(3, at, vec![row("a", "x y"), row("b", "x")]));
    let other: Vec<_> = before.all().map(|endpoint| seen.known.has(endpoint)).collect();
    assert_eq!(other, [true, false], "one that has changed is another, and nobody else is");
    let same = seen.known.by_id.get("b").unwrap();
    assert!(Arc::ptr_eq(&same.due, &before.by_id.get("b").unwrap().due), "whoever waits for it is still told");
    assert_eq!(seen.known.by_type.get("x").map(Vec::len), Some(2));

    let disabled = endpoint::Model { enabled: false, ..row("b", "x") };
    assert!(seen.take_in(4, at, vec![row("a", "x y"), disabled]));
    assert_eq!((seen.known.all().count(), seen.known.disabled), (1, 1));
}

#[test]
fn no_look_is_overtaken_by_one_that_began_before() {
    let (mut seen, at) = (Seen::default(), Instant::now());
    assert!(seen.take_in(2, at, vec![row("a", "x")]));
    assert!(!seen.take_in(1, at, Vec::new()));
    assert_eq!(seen.known.all().count(), 1);
}

#[test]
fn what_is_known_is_gone_by_for_three_seconds() {
    let (mut seen, at) = (Seen::default(), Instant::now());
    assert!(seen.fresh(at).is_none(), "nobody has looked");
    seen.take_in(1, at, Vec::new());
    assert!(seen.fresh(at).is_some() && seen.fresh(at + FRESH / 2).is_some());
    assert!(seen.fresh(at + FRESH).is_none());
}

#[test]
fn no_place_is_given_away_twice_and_each_comes_after_the_last() {
    let (endpoints, now) = (Endpoints::default(), OffsetDateTime::UNIX_EPOCH + time::Duration::SECOND);
    let places = [now, now, OffsetDateTime::UNIX_EPOCH, now].map(|now| endpoints.next_place(now));
    assert_eq!(places, [1_000_000, 1_000_001, 1_000_002, 1_000_003]);
}
