//! The books: what the card provider and the carrier say happened equals what the orders say, and so does the stock.

use std::collections::BTreeMap;
use std::fmt::Debug;

use contracts::tradewind::{
    inventory::v1::{Reservation, StockLevel},
    money::v1::Money,
    ordering::v1::{Order, OrderStatus},
};
use futures::future::join_all;
use tradewind_testing::eventually;

use crate::outside_world::{Booking, CardEntry, Outside};
use crate::people::Person;
use crate::shop::{PATIENCE, Shop};

/// Everything that is compared, read one after the other.
struct Books {
    orders: Vec<Order>,
    card: Vec<CardEntry>,
    carrier: Vec<Booking>,
    levels: Vec<StockLevel>,
    reservations: Vec<Reservation>,
}

/// Waits until the books hold: what has left the building is booked out a moment after its order says so.
pub async fn prove(shop: &Shop) {
    prove_from_outside(&shop.operator, &shop.outside).await;
}

/// The same for a shop that runs elsewhere.
pub async fn prove_from_outside(operator: &Person, outside: &Outside) {
    eventually(PATIENCE, "the books hold", async || Books::read(operator, outside).await.check()).await;
}

impl Books {
    async fn read(operator: &Person, outside: &Outside) -> Self {
        let listed = operator.orders().await;
        // The list may be a moment old, an order itself never is.
        let orders = join_all(listed.iter().map(|order| operator.order(&order.order_id))).await;
        Self {
            orders,
            card: outside.card_statement().await,
            carrier: outside.carrier_statement().await,
            levels: operator.stock().await,
            reservations: operator.open_reservations().await,
        }
    }

    fn check(&self) -> Result<(), String> {
        for order in &self.orders {
            self.money_of(order)?;
            self.parcel_of(order)?;
            self.reservation_of(order)?;
        }
        let known = |id: &str| self.orders.iter().any(|order| order.order_id == id);
        let strange: Vec<_> = self.card.iter().filter(|entry| !known(&entry.order_id)).collect();
        holds(strange.is_empty(), "the card provider knows orders that the shop doesn't", &strange)?;
        let strange: Vec<_> = self.carrier.iter().filter(|booking| !known(&booking.order_id)).collect();
        holds(strange.is_empty(), "the carrier knows orders that the shop doesn't", &strange)?;
        self.levels.iter().try_for_each(|level| self.stock(level))
    }

    /// Captured = kept + refunded, each at most once: what is kept is what the order costs, and what is given back is what was
    /// taken, whatever was asked for.
    fn money_of(&self, order: &Order) -> Result<(), String> {
        let entries: Vec<_> = self.card.iter().filter(|entry| entry.order_id == order.order_id).collect();
        let moved = |kind: &str| -> Vec<Money> {
            let of_kind = entries.iter().filter(|entry| entry.kind == kind && entry.amount_minor != 0);
            of_kind.map(|entry| Money { currency: entry.currency.clone(), minor: entry.amount_minor }).collect()
        };
        let (captured, refunded) = (moved("capture"), moved("refund"));
        let right = match order.status() {
            OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => {
                captured.iter().eq(&order.total) && refunded.is_empty() && order.refunded.is_none()
            }
            OrderStatus::Cancelled => {
                captured.len() <= 1 && captured == refunded && order.refunded.as_ref() == refunded.first()
            }
            _ => return Err(format!("an order is not settled: {order:?}")),
        };
        holds(right, &format!("the money of {order:?}"), &entries)
    }

    /// A parcel for every order that is to arrive or has, and for no other.
    fn parcel_of(&self, order: &Order) -> Result<(), String> {
        let bookings: Vec<_> = self.carrier.iter().filter(|booking| booking.order_id == order.order_id).collect();
        let states: Vec<_> = bookings.iter().map(|booking| booking.status.as_str()).collect();
        let right = match order.status() {
            OrderStatus::Confirmed => states == ["booked"],
            OrderStatus::Shipped => states == ["dispatched"],
            OrderStatus::Delivered => states == ["delivered"],
            _ => states.iter().all(|state| matches!(*state, "cancelled" | "rejected")),
        };
        let tracked = order.status() == OrderStatus::Cancelled
            || bookings.iter().all(|booking| booking.tracking.as_deref() == Some(order.tracking.as_str()));
        holds(right && tracked, &format!("the parcel of {order:?}"), &bookings)
    }

    /// Units are set aside for orders that wait for their dispatch, and for no other.
    fn reservation_of(&self, order: &Order) -> Result<(), String> {
        let held: Vec<_> = self.reservations.iter().filter(|held| held.order_id == order.order_id).collect();
        let mut units = BTreeMap::<&str, i64>::new();
        for part in held.iter().flat_map(|held| &held.allocations) {
            *units.entry(&part.sku).or_default() += part.quantity;
        }
        let owed = if order.status() == OrderStatus::Confirmed { units_of(order) } else { BTreeMap::new() };
        holds(units == owed, &format!("what is set aside for {order:?}"), &held)
    }

    /// On hand = received − shipped, reserved = what open reservations hold, nothing negative, and nothing left without
    /// an order that says so.
    fn stock(&self, level: &StockLevel) -> Result<(), String> {
        let allocations = self.reservations.iter().flat_map(|reservation| &reservation.allocations);
        let here = allocations.filter(|part| (&part.sku, &part.location) == (&level.sku, &level.location));
        let held: i64 = here.map(|part| part.quantity).sum();
        let counted = level.on_hand == level.received - level.shipped
            && level.available == level.on_hand - level.reserved
            && level.reserved == held;
        holds(counted, &format!("{held} units are held of"), level)?;
        not_negative(level)?;
        let left: i64 =
            self.levels.iter().filter(|other| other.sku == level.sku).map(|of_the_same| of_the_same.shipped).sum();
        let sent = |order: &&Order| matches!(order.status(), OrderStatus::Shipped | OrderStatus::Delivered);
        let owed: i64 =
            self.orders.iter().filter(sent).filter_map(|order| units_of(order).get(&*level.sku).copied()).sum();
        holds(left == owed, &format!("{owed} units were sent, {left} have left of"), level)
    }
}

/// Whether any counter of a level is below zero.
pub fn not_negative(level: &StockLevel) -> Result<(), String> {
    let counters = [level.received, level.shipped, level.on_hand, level.reserved, level.available];
    holds(counters.iter().all(|counter| *counter >= 0), "a counter is negative", level)
}

fn units_of(order: &Order) -> BTreeMap<&str, i64> {
    let mut units = BTreeMap::new();
    for line in &order.lines {
        *units.entry(line.sku.as_str()).or_default() += i64::from(line.quantity);
    }
    units
}

fn holds(right: bool, what: &str, seen: &impl Debug) -> Result<(), String> {
    if right { Ok(()) } else { Err(format!("{what}: {seen:?}")) }
}

#[cfg(test)]
mod tests {
    use contracts::tradewind::{inventory::v1::Allocation, ordering::v1::PricedLine};

    use super::*;
    use crate::shop::pounds;

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
        let tracking = Some(format!("T-{order_id}"));
        Booking { order_id: order_id.to_owned(), status: status.to_owned(), tracking }
    }

    /// One order of each outcome, four units, of which two have left and two are set aside.
    fn right() -> Books {
        let allocation = Allocation { sku: "tea".to_owned(), location: "hull".to_owned(), quantity: 2 };
        let level = StockLevel {
            sku: "tea".to_owned(),
            location: "hull".to_owned(),
            received: 4,
            shipped: 2,
            on_hand: 2,
            reserved: 2,
            available: 0,
        };
        Books {
            orders: vec![
                order("confirmed", OrderStatus::Confirmed, None),
                order("shipped", OrderStatus::Shipped, None),
                order("cancelled", OrderStatus::Cancelled, Some(pounds(900))),
            ],
            card: vec![
                entry("confirmed", "capture"),
                entry("shipped", "capture"),
                entry("cancelled", "capture"),
                entry("cancelled", "refund"),
            ],
            carrier: vec![
                booking("confirmed", "booked"),
                booking("shipped", "dispatched"),
                booking("cancelled", "cancelled"),
            ],
            levels: vec![level],
            reservations: vec![Reservation {
                order_id: "confirmed".to_owned(),
                allocations: vec![allocation],
                ..Reservation::default()
            }],
        }
    }

    #[test]
    fn books_that_hold_are_found_right() {
        assert_eq!(right().check(), Ok(()));
    }

    #[test]
    fn what_was_taken_by_mistake_and_given_back_is_right() {
        let mut books = right();
        for entry in &mut books.card[2..] {
            (entry.amount_minor, entry.currency) = (1, "EUR".to_owned());
        }
        books.orders[2].refunded = Some(Money { currency: "EUR".to_owned(), minor: 1 });
        assert_eq!(books.check(), Ok(()));
        books.card.truncate(3);
        books.card[2].amount_minor = 0;
        books.orders[2].refunded = None;
        assert_eq!(books.check(), Ok(()), "nothing was taken");
    }

    #[test]
    fn each_way_in_which_books_may_not_hold_is_found() {
        type Distortion = fn(&mut Books);
        let wrongs: [(&str, Distortion); 16] = [
            ("an order that is not settled", |books| books.orders[0].set_status(OrderStatus::Paid)),
            ("a charge twice", |books| books.card.push(entry("confirmed", "capture"))),
            ("no charge", |books| drop(books.card.remove(0))),
            ("another amount", |books| books.card[0].amount_minor = 899),
            ("another currency", |books| books.card[0].currency = "EUR".to_owned()),
            ("a refund of another amount", |books| books.card[3].amount_minor = 899),
            ("a refund in another currency", |books| books.card[3].currency = "EUR".to_owned()),
            ("a refund that the order says was another", |books| books.orders[2].refunded = Some(pounds(1))),
            ("a refund twice", |books| books.card.push(entry("cancelled", "refund"))),
            ("no refund", |books| drop(books.card.pop())),
            ("a refund that the order doesn't know", |books| books.orders[2].refunded = None),
            ("a charge for nobody", |books| books.card.push(entry("nobody", "capture"))),
            ("a parcel that left without a word", |books| books.carrier[0].status = "dispatched".to_owned()),
            ("a parcel for a cancelled order", |books| books.carrier[2].status = "booked".to_owned()),
            ("units of a cancelled order held", |books| books.reservations[0].order_id = "cancelled".to_owned()),
            ("a unit that leaked", |books| books.levels[0].received = 5),
        ];
        for (what, distort) in wrongs {
            let mut books = right();
            distort(&mut books);
            assert!(books.check().is_err(), "{what} was not found");
        }
    }
}
