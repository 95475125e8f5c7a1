//! Orders, what becomes of them, and what is to be told of that.

use std::collections::BTreeMap;

use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{
    Address, CancellationReason, OrderCancelled, OrderConfirmed, OrderDelivered, OrderPaid, OrderPlaced, OrderShipped,
    OrderStockConfirmed, PricedLine, Recipient,
};
use prost::{Message, Name};
use time::{Duration, OffsetDateTime};
use tradewind_store::{Metadata, Recorded, StreamName};
use uuid::Uuid;

use crate::domain::{Span, day_of, day_text, month_text};

/// An order, and all that becomes of it: at each step after how many milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) customer: String,
    pub(super) country: &'static str,
    pub(super) currency: &'static str,
    /// Product, units, price of one.
    pub(super) lines: Vec<(String, i32, i64)>,
    pub(super) placed: OffsetDateTime,
    /// Stock, payment, confirmation, dispatch, delivery.
    pub(super) steps: Vec<i64>,
    pub(super) cancelled: Option<CancellationReason>,
}

impl Order {
    pub(super) fn units(&self) -> i64 {
        self.lines.iter().map(|(_, units, _)| i64::from(*units)).sum()
    }

    pub(super) fn amount(&self) -> i64 {
        self.lines.iter().map(|(_, units, price)| i64::from(*units) * price).sum()
    }

    pub(super) fn is_sale(&self) -> bool {
        self.steps.len() >= 3
    }

    pub(super) fn events(&self) -> Vec<Recorded> {
        let (order_id, mut at) = (self.id.clone(), self.placed);
        let money = |minor| Some(Money { currency: self.currency.to_owned(), minor });
        let line = |(product, units, price): &(String, i32, i64)| PricedLine {
            product_id: product.clone(),
            sku: product.to_uppercase(),
            name: product.clone(),
            quantity: *units,
            unit_price: money(*price),
        };
        let address = Some(Address { country: self.country.to_owned(), ..Default::default() });
        let placed = OrderPlaced {
            order_id: order_id.clone(),
            customer_id: self.customer.clone(),
            recipient: Some(Recipient { address, ..Default::default() }),
            lines: self.lines.iter().map(line).collect(),
            total: money(self.amount()),
            ..Default::default()
        };
        let mut events = vec![self.event(1, at, &placed)];
        for (step, ms) in (0..).zip(&self.steps) {
            at += Duration::milliseconds(*ms);
            let (version, order_id) = (step + 2, order_id.clone());
            events.push(match step {
                0 => self.event(version, at, &OrderStockConfirmed { order_id, ..Default::default() }),
                1 => self.event(version, at, &OrderPaid { order_id, ..Default::default() }),
                2 => self.event(version, at, &OrderConfirmed { order_id, ..Default::default() }),
                3 => self.event(version, at, &OrderShipped { order_id, ..Default::default() }),
                _ => self.event(version, at, &OrderDelivered { order_id }),
            });
        }
        if let Some(reason) = self.cancelled {
            let cancelled = OrderCancelled { order_id, reason: reason.into(), ..Default::default() };
            events.push(self.event(9, at, &cancelled));
        }
        events
    }

    fn event<E: Message + Name>(&self, version: u64, time: OffsetDateTime, event: &E) -> Recorded {
        recorded(&format!("order-{}", self.id), version, time, event)
    }
}

pub(super) fn recorded<E: Message + Name>(stream: &str, version: u64, time: OffsetDateTime, event: &E) -> Recorded {
    Recorded {
        id: Uuid::now_v7(),
        stream: StreamName::from(stream.to_owned()),
        version,
        partition: 0,
        position: version,
        type_name: E::full_name(),
        payload: event.encode_to_vec(),
        time,
        metadata: Metadata::default(),
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()].clone()
    }
}

/// Orders of 80 days, whose customers come again, in no order.
pub(super) fn orders(count: u64, until: OffsetDateTime) -> Vec<Order> {
    let mut dice = Dice(7);
    let order = |number: u64| {
        let lines = (0..=dice.below(3)).map(|product| {
            (
                format!("tea-{}", product * 3 + dice.below(3)),
                1 + i32::try_from(dice.below(5)).unwrap(),
                99 + i64::try_from(dice.below(500)).unwrap(),
            )
        });
        let lines = lines.collect();
        let taken = usize::try_from(dice.below(6)).unwrap();
        let steps =
            (0..taken).map(|step| i64::try_from(dice.below(10_u64.pow(u32::try_from(step).unwrap() + 2))).unwrap());
        let steps: Vec<_> = steps.collect();
        let reasons = [CancellationReason::Customer, CancellationReason::Deadline, CancellationReason::PaymentDeclined];
        let is_cancelled = taken < 3 || (taken == 3 && dice.below(2) == 0);
        let day = i64::try_from(dice.below(80)).unwrap();
        Order {
            id: Uuid::from_u128(u128::from(number)).to_string(),
            customer: format!("customer-{}", dice.below(40)),
            country: dice.of(&["GB", "DE", "FR"]),
            currency: dice.of(&["GBP", "GBP", "EUR"]),
            lines,
            placed: until
                - Duration::days(day)
                - Duration::milliseconds(i64::try_from(dice.below(10_000_000)).unwrap()),
            steps,
            cancelled: is_cancelled.then(|| dice.of(&reasons)),
        }
    };
    (0..count).map(order).collect()
}

/// Start, key and currency, and then orders, units, amount and the cancelled of each.
pub(super) type Sums = BTreeMap<(String, String, String), [i64; 6]>;

/// The same, from what was ordered.
pub(super) fn computed(orders: &[Order], kind: &str, span: Span) -> Sums {
    let mut firsts: BTreeMap<&str, OffsetDateTime> = BTreeMap::new();
    for order in orders {
        let first = firsts.entry(&order.customer).or_insert(order.placed);
        *first = order.placed.min(*first);
    }
    let mut sums = Sums::new();
    for order in orders.iter().filter(|order| order.is_sale()) {
        let parts: Vec<(String, i64, i64)> = match kind {
            "all" => vec![(String::new(), order.units(), order.amount())],
            "country" => vec![(order.country.to_owned(), order.units(), order.amount())],
            "cohort" => vec![(month_text(day_of(firsts[&*order.customer])), order.units(), order.amount())],
            _ => order
                .lines
                .iter()
                .map(|(product, units, price)| (product.clone(), (*units).into(), i64::from(*units) * price))
                .collect(),
        };
        for (key, units, amount) in parts {
            let start = day_text(span.start(day_of(order.placed)));
            let sum = sums.entry((start, key, order.currency.to_owned())).or_default();
            let cancelled = i64::from(order.cancelled.is_some());
            let adds = [1, units, amount, cancelled, cancelled * units, cancelled * amount];
            sum.iter_mut().zip(adds).for_each(|(sum, adds)| *sum += adds);
        }
    }
    sums
}
