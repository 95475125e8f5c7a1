//! The rules: each looks at facts alone, and says in which order, charge, parcel or level it is broken.

mod ledger;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use contracts::tradewind::inventory::v1::{Reservation, StockLevel};
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{Order, OrderStatus};

use crate::{Booking, CardEntry, Facts};

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Of every order.
    Settled,
    /// Of the money of an order that is confirmed or beyond.
    Charged,
    /// Of the money of an order that is cancelled.
    PaidBack,
    /// Of the carrier's bookings.
    Parcel,
    /// Of whoever names an order.
    Known,
    /// Of open reservations.
    SetAside,
    /// Of every level of stock.
    Counted,
    /// Of every counter of stock.
    NotNegative,
    /// Of what was shipped of every SKU.
    Sent,
    /// Of the ledger, in every currency.
    Balanced,
    /// Of the movements of every level of stock.
    Moved,
}

impl Rule {
    /// Each of them.
    pub const ALL: [Self; 11] = [
        Self::Settled,
        Self::Charged,
        Self::PaidBack,
        Self::Parcel,
        Self::Known,
        Self::SetAside,
        Self::Counted,
        Self::NotNegative,
        Self::Sent,
        Self::Balanced,
        Self::Moved,
    ];

    fn broken(self, what: String) -> Broken {
        Broken { rule: self, what }
    }

    fn unless(self, holds: bool, what: impl FnOnce() -> String) -> Option<Broken> {
        (!holds).then(|| self.broken(what()))
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Settled => "every order is settled",
            Self::Charged => "an order that is kept was charged once, for what it costs",
            Self::PaidBack => "what was taken for a cancelled order was given back once, as it was taken",
            Self::Parcel => {
                "there is one parcel for each order that is kept, where the order says, and none for another"
            }
            Self::Known => "nobody deals with an order that ordering does not know",
            Self::SetAside => "units are set aside for the lines of each confirmed order, and for no other",
            Self::Counted => "stock adds up",
            Self::NotNegative => "no counter of stock is below zero",
            Self::Sent => "what has left is what was sent",
            Self::Balanced => "the ledger sums to zero, owes nobody and has cleared what the card provider kept",
            Self::Moved => "the counters of stock are what its movements come to",
        })
    }
}

/// Where a rule does not hold.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Which.
    pub rule: Rule,
    /// Who says what.
    pub what: String,
}

impl Display for Broken {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, but {}", self.rule, self.what)
    }
}

/// Every rule that does not hold, with where.
pub(crate) fn broken(facts: &Facts) -> Vec<Broken> {
    let card = by_order(&facts.card, |entry| &entry.order_id);
    let carrier = by_order(&facts.carrier, |booking| &booking.order_id);
    let held = by_order(&facts.reservations, |reservation| &reservation.order_id);
    let of_order = |order: &Order| {
        let id = order.order_id.as_str();
        let Some(kept) = is_kept(order) else {
            return vec![Rule::Settled.broken(format!("order {id} is {}", name(order)))];
        };
        let broken = [
            money(order, kept, all(&card, id)),
            parcel(order, kept, all(&carrier, id)),
            set_aside(order, all(&held, id)),
        ];
        broken.into_iter().flatten().collect()
    };
    let mut broken: Vec<_> = facts.orders.iter().flat_map(of_order).collect();
    let known: BTreeSet<&str> = facts.orders.iter().map(|order| order.order_id.as_str()).collect();
    let named = [("the card provider", keys(&card)), ("the carrier", keys(&carrier)), ("inventory", keys(&held))];
    for (who, order_id) in named.into_iter().flat_map(|(who, ids)| ids.into_iter().map(move |id| (who, id))) {
        broken.extend(Rule::Known.unless(known.contains(order_id), || format!("{who} knows {order_id}")));
    }
    broken.extend(counted(facts));
    broken.extend(facts.levels.iter().filter_map(not_negative));
    broken.extend(sent(facts));
    broken.extend(ledger::balanced(facts));
    broken.extend(facts.differences.iter().map(|found| Rule::Moved.broken(format!("{found:?} was found"))));
    broken
}

/// Whether goods and money belong to the order; `None` while that is undecided.
fn is_kept(order: &Order) -> Option<bool> {
    match order.status() {
        OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => {
            (!order.cancellation_requested).then_some(true)
        }
        OrderStatus::Cancelled => Some(false),
        _ => None,
    }
}

/// Captured = kept + refunded, each at most once: what is kept is what the order costs, and what is given back is what was
/// taken, whatever was asked for.
fn money(order: &Order, kept: bool, entries: &[&CardEntry]) -> Option<Broken> {
    let moved = |kind: &str| -> Vec<Money> {
        let entries = of_kind(entries.iter().copied(), kind);
        entries.map(|entry| Money { currency: entry.currency.clone(), minor: entry.amount_minor }).collect()
    };
    let (captured, refunded) = (moved("capture"), moved("refund"));
    let (rule, holds) = if kept {
        (Rule::Charged, captured.iter().eq(&order.total) && refunded.is_empty() && order.refunded.is_none())
    } else {
        let once = captured.len() <= 1 && captured == refunded;
        (Rule::PaidBack, once && order.refunded.as_ref() == refunded.first())
    };
    rule.unless(holds, || {
        let (id, status, total, said) = (&order.order_id, name(order), &order.total, &order.refunded);
        format!("order {id} is {status} over {total:?} and says {said:?} came back; captured {captured:?}, refunded {refunded:?}")
    })
}

fn parcel(order: &Order, kept: bool, bookings: &[&Booking]) -> Option<Broken> {
    let states: Vec<_> = bookings.iter().map(|booking| booking.status.as_str()).collect();
    let holds = if kept {
        let expected = match order.status() {
            OrderStatus::Shipped => "dispatched",
            OrderStatus::Delivered => "delivered",
            _ => "booked",
        };
        states == [expected] && bookings.iter().all(|booking| booking.tracking.as_ref() == Some(&order.tracking))
    } else {
        states.iter().all(|state| matches!(*state, "cancelled" | "rejected"))
    };
    Rule::Parcel.unless(holds, || {
        format!(
            "order {} is {} as {:?}, and the carrier says {bookings:?}",
            order.order_id,
            name(order),
            order.tracking
        )
    })
}

fn set_aside(order: &Order, held: &[&Reservation]) -> Option<Broken> {
    let mut units = BTreeMap::<&str, i64>::new();
    for part in held.iter().flat_map(|reservation| &reservation.allocations) {
        *units.entry(&part.sku).or_default() += part.quantity;
    }
    let owed = if order.status() == OrderStatus::Confirmed { units_of([order]) } else { BTreeMap::new() };
    Rule::SetAside.unless(units == owed, || {
        format!("order {} is {} and waits for {owed:?}, and {units:?} are held", order.order_id, name(order))
    })
}

/// On hand = received − shipped, available = on hand − reserved, reserved = what open reservations hold there.
fn counted(facts: &Facts) -> Vec<Broken> {
    let mut held: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for part in facts.reservations.iter().flat_map(|reservation| &reservation.allocations) {
        *held.entry((&part.sku, &part.location)).or_default() += part.quantity;
    }
    let mut broken = Vec::new();
    for level in &facts.levels {
        let here = held.remove(&(level.sku.as_str(), level.location.as_str())).unwrap_or_default();
        let adds_up = level.on_hand == level.received - level.shipped
            && level.available == level.on_hand - level.reserved
            && level.reserved == here;
        broken.extend(Rule::Counted.unless(adds_up, || format!("{here} units are held of {level:?}")));
    }
    let nowhere = held.into_iter().filter(|(_, units)| *units != 0);
    broken.extend(
        nowhere.map(|((sku, at), units)| {
            Rule::Counted.broken(format!("{units} of {sku} are held at {at}, where none is"))
        }),
    );
    broken
}

/// Where any counter of a level is below zero.
#[must_use]
pub fn not_negative(level: &StockLevel) -> Option<Broken> {
    let counters = [level.received, level.shipped, level.on_hand, level.reserved, level.available];
    Rule::NotNegative.unless(counters.iter().all(|counter| *counter >= 0), || format!("one is in {level:?}"))
}

/// Nothing has left without an order that says so, and nothing is said to have left that is still there.
fn sent(facts: &Facts) -> Vec<Broken> {
    let sent = |order: &&Order| matches!(order.status(), OrderStatus::Shipped | OrderStatus::Delivered);
    let owed = units_of(facts.orders.iter().filter(sent));
    let mut left = BTreeMap::<&str, i64>::new();
    for level in &facts.levels {
        *left.entry(&level.sku).or_default() += level.shipped;
    }
    let skus: BTreeSet<_> = owed.keys().chain(left.keys()).copied().collect();
    let of = |units: &BTreeMap<&str, i64>, sku| units.get(sku).copied().unwrap_or_default();
    let compared = skus.into_iter().map(|sku| (sku, of(&owed, sku), of(&left, sku)));
    compared
        .filter_map(|(sku, owed, left)| {
            Rule::Sent.unless(owed == left, || format!("orders sent {owed} of {sku}, and {left} have left"))
        })
        .collect()
}

/// Entries of one kind that moved money.
pub(crate) fn of_kind<'a>(
    entries: impl IntoIterator<Item = &'a CardEntry>,
    kind: &str,
) -> impl Iterator<Item = &'a CardEntry> {
    entries.into_iter().filter(move |entry| entry.kind == kind && entry.amount_minor != 0)
}

/// Of each SKU how many units the orders are over.
fn units_of<'a>(orders: impl IntoIterator<Item = &'a Order>) -> BTreeMap<&'a str, i64> {
    let mut units = BTreeMap::new();
    for line in orders.into_iter().flat_map(|order| &order.lines) {
        *units.entry(line.sku.as_str()).or_default() += i64::from(line.quantity);
    }
    units
}

fn name(order: &Order) -> &'static str {
    order.status().as_str_name().trim_start_matches("ORDER_STATUS_")
}

type ByOrder<'a, T> = BTreeMap<&'a str, Vec<&'a T>>;

fn by_order<T>(items: &[T], order_id: impl Fn(&T) -> &String) -> ByOrder<'_, T> {
    let mut grouped = ByOrder::new();
    for item in items {
        grouped.entry(order_id(item).as_str()).or_default().push(item);
    }
    grouped
}

fn all<'a, 'b, T>(grouped: &'b ByOrder<'a, T>, order_id: &str) -> &'b [&'a T] {
    grouped.get(order_id).map_or(&[], Vec::as_slice)
}

fn keys<'a, T>(grouped: &ByOrder<'a, T>) -> Vec<&'a str> {
    grouped.keys().copied().collect()
}
