//! The rules of the books, over statements alone.

use std::collections::BTreeMap;

use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{Order, OrderStatus};

use super::collect::{Booking, CardEntry, Facts};

/// What the books come to, and every rule that is broken.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    /// Orders looked at.
    pub(crate) orders: usize,
    /// Charges captured, by the provider's statement.
    pub(crate) captured: usize,
    /// Charges paid back, by the provider's statement.
    pub(crate) refunded: usize,
    /// Bookings the carrier still holds or has carried out.
    pub(crate) booked: usize,
    /// SKUs looked at, over all locations.
    pub(crate) levels: usize,
    /// Units set aside for orders.
    pub(crate) reserved: i64,
    /// One sentence for each rule that is broken.
    pub(crate) violations: Vec<String>,
}

impl Proof {
    /// Tells whether every rule holds.
    pub(crate) fn holds(&self) -> bool {
        self.violations.is_empty()
    }

    /// The books for people, one line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let kept = self.captured.saturating_sub(self.refunded);
        let mut lines = vec![
            format!("{} orders, every one settled or being delivered", self.orders),
            format!("card provider: {} captured = {kept} kept + {} refunded, each once", self.captured, self.refunded),
            format!("carrier: {} bookings stand, each for an order that is confirmed or beyond", self.booked),
            format!("stock: {} levels, on hand = received - shipped, none negative", self.levels),
            format!("stock: {} units reserved = the open allocations of confirmed orders", self.reserved),
        ];
        if !self.holds() {
            lines = self.violations.iter().map(|violation| format!("BROKEN: {violation}")).collect();
        }
        lines
    }

    fn require(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(otherwise());
        }
    }
}

/// Applies every rule to the statements.
pub(crate) fn prove(facts: &Facts) -> Proof {
    let mut proof = Proof {
        orders: facts.orders.len(),
        captured: facts.card.iter().filter(|entry| entry.kind == "capture" && entry.amount_minor != 0).count(),
        refunded: facts.card.iter().filter(|entry| entry.kind == "refund").count(),
        booked: facts.carrier.iter().filter(|booking| stands(booking)).count(),
        levels: facts.levels.len(),
        reserved: facts.levels.iter().map(|level| level.reserved).sum(),
        violations: Vec::new(),
    };
    let cards = by_order(&facts.card, |entry| &entry.order_id);
    let bookings = by_order(&facts.carrier, |booking| &booking.order_id);
    for order in &facts.orders {
        let id = order.order_id.as_str();
        money(&mut proof, order, cards.get(id).map_or(&[], Vec::as_slice));
        parcel(&mut proof, order, bookings.get(id).map_or(&[], Vec::as_slice));
    }
    nobody_else(&mut proof, facts);
    stock(&mut proof, facts);
    proof
}

/// Whether the order is one that goods and money belong to; `None` while that is undecided.
fn is_kept(order: &Order) -> Option<bool> {
    match order.status() {
        OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => {
            (!order.cancellation_requested).then_some(true)
        }
        OrderStatus::Cancelled => Some(false),
        _ => None,
    }
}

fn money(proof: &mut Proof, order: &Order, entries: &[&CardEntry]) {
    let id = &order.order_id;
    let Some(kept) = is_kept(order) else {
        return proof.require(false, || format!("order {id} is not settled: {}", order.status().as_str_name()));
    };
    let moved = |kind: &str| -> Vec<Money> {
        let of_kind = entries.iter().filter(|entry| entry.kind == kind && entry.amount_minor != 0);
        of_kind.map(|entry| Money { currency: entry.currency.clone(), minor: entry.amount_minor }).collect()
    };
    let (captures, refunds) = (moved("capture"), moved("refund"));
    if kept {
        proof.require(captures.iter().eq(&order.total) && refunds.is_empty(), || {
            format!("order {id} is confirmed over {:?}, but captured {captures:?}, refunded {refunds:?}", order.total)
        });
    } else {
        proof.require(captures == refunds && captures.len() <= 1, || {
            format!("order {id} is cancelled, but captured {captures:?}, refunded {refunds:?}")
        });
        proof.require(order.refunded.as_ref() == refunds.first(), || {
            format!("order {id} says {:?} was paid back, the provider says {refunds:?}", order.refunded)
        });
    }
}

fn parcel(proof: &mut Proof, order: &Order, bookings: &[&Booking]) {
    let Some(kept) = is_kept(order) else { return };
    let standing: Vec<&str> = bookings.iter().filter(|b| stands(b)).map(|b| b.status.as_str()).collect();
    let expected = match order.status() {
        OrderStatus::Shipped => "dispatched",
        OrderStatus::Delivered => "delivered",
        _ => "booked",
    };
    let matches = if kept { standing == [expected] } else { standing.is_empty() };
    proof.require(matches, || {
        format!("order {} is {}, but the carrier holds {standing:?}", order.order_id, order.status().as_str_name())
    });
}

fn nobody_else(proof: &mut Proof, facts: &Facts) {
    let known: std::collections::BTreeSet<&str> = facts.orders.iter().map(|order| order.order_id.as_str()).collect();
    let named = facts.card.iter().map(|e| &e.order_id).chain(facts.carrier.iter().map(|b| &b.order_id));
    for order_id in named.filter(|id| !known.contains(id.as_str())) {
        proof.require(false, || format!("the outside knows an order {order_id} that ordering does not"));
    }
}

fn stock(proof: &mut Proof, facts: &Facts) {
    let mut open: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for allocation in facts.reservations.iter().flat_map(|reservation| &reservation.allocations) {
        *open.entry((&allocation.sku, &allocation.location)).or_default() += allocation.quantity;
    }
    for level in &facts.levels {
        let (sku, at) = (level.sku.as_str(), level.location.as_str());
        proof.require(level.on_hand == level.received - level.shipped, || {
            format!(
                "{sku} at {at}: on hand {} ≠ received {} − shipped {}",
                level.on_hand, level.received, level.shipped
            )
        });
        proof.require(level.on_hand >= 0 && level.reserved >= 0 && level.available >= 0, || {
            format!("{sku} at {at}: something is negative: {level:?}")
        });
        let allocated = open.remove(&(sku, at)).unwrap_or_default();
        proof.require(level.reserved == allocated, || {
            format!("{sku} at {at}: reserved {} ≠ open allocations {allocated}", level.reserved)
        });
    }
    for ((sku, at), units) in open {
        proof.require(false, || format!("{sku} at {at}: {units} units allocated, but there is no such stock"));
    }
    let waiting = |order: &&Order| is_kept(order) == Some(true) && order.status() == OrderStatus::Confirmed;
    let wanted: i64 =
        facts.orders.iter().filter(waiting).flat_map(|order| &order.lines).map(|line| i64::from(line.quantity)).sum();
    let reserved = proof.reserved;
    proof.require(reserved == wanted, || {
        format!("{reserved} units are reserved, but confirmed orders wait for {wanted}")
    });
}

fn stands(booking: &Booking) -> bool {
    matches!(booking.status.as_str(), "booked" | "dispatched" | "delivered")
}

fn by_order<'a, T>(items: &'a [T], order_id: impl Fn(&'a T) -> &'a String) -> BTreeMap<&'a str, Vec<&'a T>> {
    let mut grouped: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
    for item in items {
        grouped.entry(order_id(item).as_str()).or_default().push(item);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(status: OrderStatus) -> Order {
        let total = Some(Money { currency: "GBP".to_owned(), minor: 500 });
        Order { order_id: "o".to_owned(), status: status.into(), total, ..Order::default() }
    }

    fn moved(kind: &str) -> CardEntry {
        CardEntry { order_id: "o".to_owned(), kind: kind.to_owned(), amount_minor: 500, currency: "GBP".to_owned() }
    }

    fn booking(status: &str) -> Booking {
        Booking { order_id: "o".to_owned(), status: status.to_owned() }
    }

    #[test]
    fn a_confirmed_order_charged_once_and_booked_holds() {
        let facts = Facts {
            orders: vec![order(OrderStatus::Confirmed)],
            card: vec![moved("capture")],
            carrier: vec![booking("booked")],
            ..Facts::default()
        };
        assert_eq!(prove(&facts).violations, Vec::<String>::new());
    }

    #[test]
    fn what_was_taken_by_mistake_is_given_back_as_it_was_taken() {
        let mut facts = Facts {
            orders: vec![order(OrderStatus::Cancelled)],
            card: vec![moved("capture"), moved("refund")],
            ..Facts::default()
        };
        let euro = Money { currency: "EUR".to_owned(), minor: 1 };
        for entry in &mut facts.card {
            (entry.amount_minor, entry.currency) = (euro.minor, euro.currency.clone());
        }
        facts.orders[0].refunded = Some(euro);
        assert_eq!(prove(&facts).violations, Vec::<String>::new());
        facts.card[1].currency = "GBP".to_owned();
        assert!(!prove(&facts).holds(), "another currency came back");
    }

    #[test]
    fn a_double_charge_is_found() {
        let facts = Facts {
            orders: vec![order(OrderStatus::Confirmed)],
            card: vec![moved("capture"), moved("capture")],
            carrier: vec![booking("booked")],
            ..Facts::default()
        };
        assert!(!prove(&facts).holds());
    }

    #[test]
    fn a_cancelled_order_that_keeps_the_money_is_found() {
        let facts =
            Facts { orders: vec![order(OrderStatus::Cancelled)], card: vec![moved("capture")], ..Facts::default() };
        assert!(!prove(&facts).holds());
    }

    #[test]
    fn a_charge_without_an_order_is_found() {
        assert!(!prove(&Facts { card: vec![moved("capture")], ..Facts::default() }).holds());
    }

    #[test]
    fn stock_that_leaked_is_found() {
        use contracts::tradewind::inventory::v1::StockLevel;
        let level = StockLevel {
            sku: "A".to_owned(),
            received: 5,
            on_hand: 5,
            reserved: 1,
            available: 4,
            ..StockLevel::default()
        };
        assert!(!prove(&Facts { levels: vec![level], ..Facts::default() }).holds());
    }
}
