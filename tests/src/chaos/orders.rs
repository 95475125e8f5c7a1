//! The orders of a cell: of every kind there is, in an order and at moments that follow from the seed, each with the one
//! outcome that is right.

mod customer;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contracts::tradewind::ordering::v1::{Order, OrderStatus};
use futures::future::join_all;

use self::customer::{Customer, DELIVERY, Kind};
use super::dice::Dice;
use crate::offer::Offer;
use crate::people::Person;

/// Units of what not everybody gets who wants it.
const SCARCE_UNITS: i64 = 2;
const PLENTY: i64 = 10_000;
/// How long after the one before a wave of orders begins.
pub(super) const WAVE: Duration = Duration::from_millis(900);
pub(super) const WAVES: usize = 3;

const MIX: [(Kind, usize); 17] = [
    (Kind::Plain, 4),
    (Kind::Slow, 1),
    (Kind::Lost, 1),
    (Kind::Flaky, 1),
    (Kind::Declined, 2),
    (Kind::Mistaken, 3),
    (Kind::Wordy, 1),
    (Kind::OutOfStock, 1),
    (Kind::Scarce, 3),
    (Kind::Undeliverable, 2),
    (Kind::Useless, 2),
    (Kind::Silent, 1),
    (Kind::Hasty, 2),
    (Kind::Regretful, 2),
    (Kind::Dispatched, 3),
    (Kind::Expired, 2),
    (Kind::New, 2),
];

/// What is sold.
pub(crate) struct Assortment {
    tea: Offer,
    cup: Offer,
    scarce: Offer,
    gone: Offer,
}

/// Orders to be placed, and what they lead to.
pub(crate) struct Orders {
    all: Vec<Customer>,
}

/// What has come of orders.
#[derive(Default)]
pub(crate) struct Settled {
    orders: Vec<(Kind, Order)>,
}

impl Assortment {
    pub(crate) async fn offer(operator: &Person) -> Self {
        let (tea, cup, scarce, gone) = futures::join!(
            operator.offer("tea", 450, PLENTY),
            operator.offer("cup", 999, PLENTY),
            operator.offer("scarce", 100, SCARCE_UNITS),
            operator.offer("gone", 100, 0)
        );
        Self { tea, cup, scarce, gone }
    }
}

impl Orders {
    /// One of each kind at least, spread over the waves.
    pub(super) fn mix(seed: u64, dice: &mut Dice) -> Self {
        let mut kinds: Vec<_> = MIX.iter().flat_map(|(kind, count)| std::iter::repeat_n(*kind, *count)).collect();
        dice.shuffle(&mut kinds);
        let all = kinds.into_iter().enumerate().map(|(number, kind)| {
            let wave = u32::try_from(number % WAVES).unwrap();
            let patience = WAVE * wave + Duration::from_millis(dice.within(0..600));
            let quantity = i32::try_from(dice.within(1..4)).unwrap();
            Customer { name: format!("{seed}-{number}"), kind, quantity, patience }
        });
        Self { all: all.collect() }
    }

    /// A few more of the kinds that reach every boundary, at once.
    pub(super) fn more(seed: u64, round: usize) -> Self {
        let kinds = [Kind::Plain, Kind::Dispatched, Kind::Regretful, Kind::Undeliverable, Kind::Expired, Kind::New];
        let all = kinds.into_iter().map(|kind| {
            let name = format!("{seed}-{kind:?}-{round}").to_lowercase();
            Customer { name, kind, quantity: 1, patience: Duration::ZERO }
        });
        Self { all: all.collect() }
    }

    /// One of any kind but those who compete.
    pub(crate) fn one(name: &str, dice: &mut Dice) -> Self {
        let kinds: Vec<_> = MIX.iter().map(|(kind, _)| *kind).filter(|kind| *kind != Kind::Scarce).collect();
        let customer =
            Customer { name: name.to_owned(), kind: *dice.choose(&kinds), quantity: 1, patience: Duration::ZERO };
        Self { all: vec![customer] }
    }

    /// Places them and sees each to its end.
    pub(crate) async fn play(&self, operator: &Person, assortment: &Assortment) -> Settled {
        let played = self.all.iter().map(async |customer| {
            tokio::time::sleep(customer.patience).await;
            (customer.kind, customer.shop(operator, assortment).await)
        });
        Settled { orders: join_all(played).await }
    }
}

impl Settled {
    pub(crate) fn append(&mut self, other: Self) {
        self.orders.extend(other.orders);
    }

    pub(crate) fn count(&self) -> usize {
        self.orders.len()
    }

    /// The ids of all orders that were acknowledged.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        self.orders.iter().map(|(_, order)| order.order_id.clone()).collect()
    }

    /// As many got what is scarce as there was.
    pub(super) fn check_scarce(&self) {
        let wanted = self.orders.iter().filter(|(kind, _)| *kind == Kind::Scarce).map(|(_, order)| order.status());
        let got = wanted.clone().filter(|status| *status == OrderStatus::Confirmed).count();
        let fair = wanted.count().min(usize::try_from(SCARCE_UNITS).unwrap());
        assert_eq!(got, fair, "orders that were confirmed over {SCARCE_UNITS} units");
    }

    /// What must have been received of each SKU.
    pub(super) fn deliveries(&self) -> BTreeMap<String, i64> {
        let new = self.orders.iter().filter(|(kind, _)| *kind == Kind::New);
        let new = new.map(|(_, order)| (order.lines[0].sku.clone(), DELIVERY));
        let old = [("tea", PLENTY), ("cup", PLENTY), ("scarce", SCARCE_UNITS)];
        new.chain(old.map(|(sku, units)| (sku.to_owned(), units))).collect()
    }

    /// To whom what must have been said how often, at least and at most.
    pub(super) fn messages(&self) -> Vec<(String, std::ops::RangeInclusive<usize>)> {
        let told = |(kind, order): &(Kind, Order)| {
            let times = match kind {
                // What is cancelled in haste may have been confirmed before.
                Kind::Silent | Kind::Hasty => 1..=2,
                Kind::Regretful | Kind::Dispatched => 2..=2,
                _ => 1..=1,
            };
            (order.recipient.clone().unwrap_or_default().email, times)
        };
        self.orders.iter().map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_customers_are_called_may_be_part_of_the_id_of_a_product() {
        let (first, more) = (Orders::mix(1001, &mut Dice::new(1001)), Orders::more(1001, 0));
        for customer in first.all.iter().chain(&more.all) {
            let fits = |letter: char| letter == '-' || letter.is_ascii_lowercase() || letter.is_ascii_digit();
            assert!(customer.name.chars().all(fits), "{}", customer.name);
        }
    }
}
