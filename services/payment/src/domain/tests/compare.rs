//! The statement against the ledger.

use std::ops::Range;

use contracts::tradewind::money::v1::Money;
use contracts::tradewind::payment::v1::{DifferenceKind, Movement};
use time::{Duration, OffsetDateTime};

use crate::domain::{Compared, Moment, Said, compare};

const DAY: Duration = Duration::DAY;

fn start() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH
}

fn period() -> Range<OffsetDateTime> {
    start()..start() + DAY
}

fn said(id: &str, order: &str, minor: i64, currency: &str, after: Duration) -> Said {
    Said {
        id: id.to_owned(),
        movement: Movement::Charge,
        order_id: order.to_owned(),
        amount: Money { currency: currency.to_owned(), minor },
        time: start() + after,
    }
}

fn at(id: &str, order: &str, hours: i64) -> Said {
    said(id, order, 900, "GBP", Duration::hours(hours))
}

/// Ten days later.
fn later(lines: &[Said], entries: &[Said]) -> Compared {
    let moment = Moment { now: start() + DAY * 10, tolerance: Duration::hours(6) };
    compare(lines, entries, &period(), moment)
}

fn kinds(compared: &Compared) -> Vec<(DifferenceKind, &str)> {
    compared.differences.iter().map(|found| (found.kind(), found.order_id.as_str())).collect()
}

#[test]
fn each_difference_is_told_once_and_what_agrees_is_none() {
    use DifferenceKind::{AmountDiffers, CurrencyDiffers, MissingHere, MissingThere};
    let hour = Duration::HOUR;
    let lines = [
        at("l1", "agrees", 1),
        at("l2", "extra", 1),
        said("l3", "amount", 901, "GBP", hour),
        said("l4", "currency", 7, "EUR", hour),
    ];
    let entries = [at("e1", "agrees", 2), at("e3", "amount", 2), at("e4", "currency", 2), at("e5", "missing", 2)];
    let compared = later(&lines, &entries);
    assert_eq!((compared.lines, compared.entries), (4, 4));
    let expected =
        [(AmountDiffers, "amount"), (CurrencyDiffers, "currency"), (MissingThere, "missing"), (MissingHere, "extra")];
    assert_eq!(kinds(&compared), expected);
    let amount = &compared.differences[0];
    let minor = |amount: &Option<Money>| amount.as_ref().map(|amount| amount.minor);
    assert_eq!((minor(&amount.here), minor(&amount.there)), (Some(900), Some(901)));
    assert_eq!((amount.line_id.as_str(), amount.event_id.as_str()), ("l3", "e3"));
    let extra = &compared.differences[3];
    assert_eq!((minor(&extra.here), minor(&extra.there), extra.event_id.as_str()), (None, Some(900), ""));
    let mut ids: Vec<_> = compared.differences.iter().map(|found| &found.difference_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    assert_eq!(later(&lines, &entries), compared, "they have the same ids the next time");
}

#[test]
fn what_moved_near_an_edge_is_found_beyond_it() {
    let lines = [at("l1", "before", -1), at("l2", "after", 23)];
    let entries = [at("e1", "before", 1), at("e2", "after", 25)];
    let compared = later(&lines, &entries);
    assert_eq!((kinds(&compared), compared.lines, compared.entries), (vec![], 1, 1));
}

#[test]
fn what_is_beyond_the_edges_on_both_sides_belongs_to_another_period() {
    let compared = later(&[at("l1", "a", -1), said("l2", "b", 1, "GBP", DAY)], &[at("e3", "c", -2), at("e4", "b", 24)]);
    assert_eq!(kinds(&compared), []);
}

#[test]
fn what_is_young_is_late_and_missing_when_it_is_older() {
    use DifferenceKind::{Late, MissingHere, MissingThere};
    let (lines, entries) = ([at("l", "here", 20)], [at("e", "there", 19)]);
    let compared = |now| {
        let moment = Moment { now: start() + Duration::hours(now), tolerance: Duration::hours(6) };
        compare(&lines, &entries, &period(), moment)
    };
    assert_eq!(kinds(&compared(24)), [(Late, "there"), (Late, "here")]);
    assert_eq!(kinds(&compared(25)), [(MissingThere, "there"), (Late, "here")]);
    assert_eq!(kinds(&compared(26)), [(MissingThere, "there"), (MissingHere, "here")]);
    let ids = |compared: &Compared| compared.differences.iter().map(|d| d.difference_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&compared(24)), ids(&compared(26)), "one that is late becomes the one that is missing");
}

#[test]
fn what_has_met_says_which_differences_are_over() {
    let late = |line: &[Said], entry: &[Said]| {
        let moment = Moment { now: start() + DAY, tolerance: DAY };
        compare(line, entry, &period(), moment)
    };
    let (line, entry) = ([at("l", "a", 1)], [at("e", "a", 2)]);
    let mut were: Vec<_> = late(&line, &[]).differences.into_iter().map(|found| found.difference_id).collect();
    were.extend(late(&[], &entry).differences.into_iter().map(|found| found.difference_id));
    assert_eq!(late(&line, &entry).met, were);
}

#[test]
fn a_charge_that_is_listed_twice_is_missing_here_once_and_the_one_that_agrees_is_the_orders() {
    let lines = [said("l1", "a", 7, "GBP", Duration::HOUR), at("l2", "a", 1), at("l3", "", 1)];
    let compared = later(&lines, &[at("e", "a", 1)]);
    let missing: Vec<_> = compared.differences.iter().map(|found| (found.kind(), found.line_id.as_str())).collect();
    assert_eq!(missing, [(DifferenceKind::MissingHere, "l1"), (DifferenceKind::MissingHere, "l3")]);
}

#[test]
fn a_refund_is_not_its_charge() {
    let refund = Said { movement: Movement::Refund, ..at("e", "a", 1) };
    let compared = later(&[at("l", "a", 1)], &[refund]);
    assert_eq!(kinds(&compared), [(DifferenceKind::MissingThere, "a"), (DifferenceKind::MissingHere, "a")]);
}
