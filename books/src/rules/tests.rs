#![allow(clippy::unwrap_used)]

use contracts::tradewind::inventory::v1::{Allocation, StockDifference};
use contracts::tradewind::ordering::v1::PricedLine;
use contracts::tradewind::payment::v1::{Account, Balance};

use super::*;
use crate::prove;

fn pounds(minor: i64) -> Money {
    Money { currency: "GBP".to_owned(), minor }
}

fn order(id: &str, status: OrderStatus, refunded: Option<Money>) -> Order {
    let line = PricedLine { sku: "tea".to_owned(), quantity: 2, ..PricedLine::default() };
    Order {
        order_id: id.to_owned(),
        status: status.into(),
        lines: vec![line],
        total: Some(pounds(900)),
        refunded,
        tracking: format!("T-{id}"),
        ..Order::default()
    }
}

fn entry(order_id: &str, kind: &str) -> CardEntry {
    let (currency, kind) = ("GBP".to_owned(), kind.to_owned());
    CardEntry { order_id: order_id.to_owned(), kind, amount_minor: 900, currency }
}

fn booking(order_id: &str, status: &str) -> Booking {
    Booking { order_id: order_id.to_owned(), status: status.to_owned(), tracking: Some(format!("T-{order_id}")) }
}

fn balance(account: Account, minor: i64) -> Balance {
    Balance { account: account.into(), amount: Some(pounds(minor)) }
}

/// One order of each end; six units, of which four have left and two are set aside.
fn right() -> Facts {
    let allocation = Allocation { sku: "tea".to_owned(), location: "hull".to_owned(), quantity: 2 };
    let level = StockLevel {
        sku: "tea".to_owned(),
        location: "hull".to_owned(),
        received: 6,
        shipped: 4,
        on_hand: 2,
        reserved: 2,
        available: 0,
    };
    Facts {
        orders: vec![
            order("confirmed", OrderStatus::Confirmed, None),
            order("shipped", OrderStatus::Shipped, None),
            order("cancelled", OrderStatus::Cancelled, Some(pounds(900))),
            order("delivered", OrderStatus::Delivered, None),
        ],
        card: vec![
            entry("confirmed", "capture"),
            entry("shipped", "capture"),
            entry("cancelled", "capture"),
            entry("cancelled", "refund"),
            entry("delivered", "capture"),
            CardEntry { amount_minor: 900, ..entry("delivered", "decline") },
        ],
        carrier: vec![
            booking("confirmed", "booked"),
            booking("shipped", "dispatched"),
            booking("cancelled", "cancelled"),
            booking("delivered", "delivered"),
        ],
        levels: vec![level],
        reservations: vec![Reservation {
            order_id: "confirmed".to_owned(),
            allocations: vec![allocation],
            ..Reservation::default()
        }],
        balances: vec![
            balance(Account::ProviderClearing, 2_700),
            balance(Account::Revenue, -3_600),
            balance(Account::Refunds, 900),
        ],
        differences: Vec::new(),
    }
}

/// The rules that facts break which differ from the right ones like this.
fn broken_by(distort: impl FnOnce(&mut Facts)) -> Vec<Rule> {
    let mut facts = right();
    distort(&mut facts);
    let mut rules: Vec<_> = broken(&facts).into_iter().map(|broken| broken.rule).collect();
    rules.dedup();
    rules
}

#[test]
fn facts_that_agree_break_no_rule() {
    assert_eq!(broken_by(|_| ()), []);
    let proof = prove(&right());
    assert!(proof.holds());
    assert_eq!((proof.orders, proof.captured, proof.refunded, proof.booked, proof.reserved), (4, 4, 1, 3, 2));
}

#[test]
fn what_was_taken_by_mistake_and_given_back_breaks_no_rule() {
    let by_mistake = |facts: &mut Facts| {
        for entry in &mut facts.card[2..4] {
            (entry.amount_minor, entry.currency) = (1, "EUR".to_owned());
        }
        facts.orders[2].refunded = Some(Money { currency: "EUR".to_owned(), minor: 1 });
        // What was sold for an euro came back as well.
        facts.balances = vec![balance(Account::ProviderClearing, 2_700), balance(Account::Revenue, -2_700)];
    };
    assert_eq!(broken_by(by_mistake), []);
    let nothing_was_taken = |facts: &mut Facts| {
        facts.card[2].amount_minor = 0;
        facts.card.remove(3);
        facts.orders[2].refunded = None;
        facts.balances = vec![balance(Account::ProviderClearing, 2_700), balance(Account::Revenue, -2_700)];
    };
    assert_eq!(broken_by(nothing_was_taken), []);
}

#[test]
fn whatever_may_be_wrong_breaks_a_rule() {
    type Distortion = fn(&mut Facts);
    let wrongs: [(&str, Rule, Distortion); 41] = [
        ("an order under way", Rule::Settled, |facts| facts.orders[2].set_status(OrderStatus::Paid)),
        ("an order being cancelled", Rule::Settled, |facts| facts.orders[2].set_status(OrderStatus::Cancelling)),
        ("an open request to cancel", Rule::Settled, |facts| facts.orders[0].cancellation_requested = true),
        ("a charge twice", Rule::Charged, |facts| facts.card.push(entry("confirmed", "capture"))),
        ("no charge", Rule::Charged, |facts| drop(facts.card.remove(0))),
        ("another amount", Rule::Charged, |facts| facts.card[0].amount_minor = 899),
        ("another currency", Rule::Charged, |facts| facts.card[0].currency = "EUR".to_owned()),
        ("money back for what is kept", Rule::Charged, |facts| facts.card.push(entry("shipped", "refund"))),
        ("an order that says so", Rule::Charged, |facts| facts.orders[1].refunded = Some(pounds(900))),
        ("a refund of another amount", Rule::PaidBack, |facts| facts.card[3].amount_minor = 899),
        ("a refund in another currency", Rule::PaidBack, |facts| facts.card[3].currency = "EUR".to_owned()),
        ("a refund that is told otherwise", Rule::PaidBack, |facts| facts.orders[2].refunded = Some(pounds(1))),
        ("a refund twice", Rule::PaidBack, |facts| facts.card.push(entry("cancelled", "refund"))),
        ("charged twice, and back twice", Rule::PaidBack, |facts| {
            facts.card.extend([entry("cancelled", "capture"), entry("cancelled", "refund")]);
        }),
        ("no refund", Rule::PaidBack, |facts| drop(facts.card.remove(3))),
        ("a refund that is not told", Rule::PaidBack, |facts| facts.orders[2].refunded = None),
        ("no parcel", Rule::Parcel, |facts| drop(facts.carrier.remove(0))),
        ("two parcels", Rule::Parcel, |facts| facts.carrier.push(booking("confirmed", "booked"))),
        ("a parcel that left without a word", Rule::Parcel, |facts| facts.carrier[0].status = "dispatched".to_owned()),
        ("a parcel that never left", Rule::Parcel, |facts| facts.carrier[1].status = "booked".to_owned()),
        ("a parcel that never arrived", Rule::Parcel, |facts| facts.carrier[3].status = "dispatched".to_owned()),
        ("another number", Rule::Parcel, |facts| facts.carrier[0].tracking = Some("T-other".to_owned())),
        ("a parcel of a cancelled order", Rule::Parcel, |facts| facts.carrier[2].status = "booked".to_owned()),
        ("a charge for nobody", Rule::Known, |facts| facts.card.push(entry("nobody", "capture"))),
        ("a parcel for nobody", Rule::Known, |facts| facts.carrier.push(booking("nobody", "cancelled"))),
        ("units for nobody", Rule::Known, |facts| {
            facts.reservations.push(Reservation { order_id: "nobody".to_owned(), ..Reservation::default() });
        }),
        ("units of a cancelled order", Rule::SetAside, |facts| {
            facts.reservations[0].order_id = "cancelled".to_owned();
        }),
        ("a unit too few set aside", Rule::SetAside, |facts| facts.orders[0].lines[0].quantity = 3),
        ("a unit that leaked", Rule::Counted, |facts| facts.levels[0].received = 7),
        ("a unit that cannot be ordered", Rule::Counted, |facts| facts.levels[0].available = -1),
        ("a unit reserved for nobody", Rule::Counted, |facts| {
            (facts.levels[0].reserved, facts.levels[0].available) = (1, 1);
        }),
        ("units that are nowhere", Rule::Counted, |facts| {
            facts.reservations[0].allocations[0].location = "york".to_owned();
        }),
        ("less than nothing", Rule::NotNegative, |facts| {
            let level = &mut facts.levels[0];
            (level.received, level.on_hand, level.available) = (3, -1, -3);
        }),
        ("a unit that left without an order", Rule::Sent, |facts| {
            (facts.levels[0].received, facts.levels[0].shipped) = (7, 5);
        }),
        ("a unit that is still there", Rule::Sent, |facts| facts.orders[1].lines[0].quantity = 3),
        ("a unit of what there never was", Rule::Sent, |facts| facts.orders[3].lines[0].sku = "cup".to_owned()),
        ("a penny that came from nowhere", Rule::Balanced, |facts| {
            facts.balances[1] = balance(Account::Revenue, -3_599)
        }),
        ("money that the provider never had", Rule::Balanced, |facts| {
            facts.balances[0] = balance(Account::ProviderClearing, 2_701);
            facts.balances[1] = balance(Account::Revenue, -3_601);
        }),
        ("a refund that stays under way", Rule::Balanced, |facts| {
            facts.balances[1] = balance(Account::Revenue, -3_500);
            facts.balances.push(balance(Account::Customer, -100));
        }),
        ("a ledger without a currency", Rule::Balanced, |facts| facts.balances.clear()),
        ("a unit that never moved", Rule::Moved, |facts| facts.differences.push(StockDifference::default())),
    ];
    for (what, rule, distort) in wrongs {
        let broken = broken_by(distort);
        assert!(broken.contains(&rule), "{what} breaks {broken:?}");
    }
    for rule in Rule::ALL {
        assert!(wrongs.iter().any(|(_, broken, _)| *broken == rule), "nothing here breaks {rule:?}");
    }
}

#[test]
fn what_is_wrong_is_told_instead_of_what_the_books_come_to() {
    let mut facts = right();
    facts.card.push(entry("confirmed", "capture"));
    let proof = prove(&facts);
    assert!(!proof.holds());
    assert!(proof.lines().iter().all(|line| line.starts_with("BROKEN: ")), "{:?}", proof.lines());
    assert!(proof.lines()[0].contains("charged once") && proof.lines()[0].contains("confirmed"), "{:?}", proof.lines());
}

#[test]
fn the_readme_lists_every_rule() {
    let readme = include_str!("../../README.md");
    for rule in Rule::ALL {
        assert!(readme.contains(&format!("| {rule} |")), "{rule} is not there");
    }
}
