//! The race of a cancellation with a dispatch, over one unit that another order waits for. Shipping decides it.

use std::sync::atomic::{AtomicU32, Ordering};

use books::not_negative;
use contracts::tradewind::ordering::v1::{CancellationReason, Order, OrderStatus};
use futures::future::{join3, select};
use tonic::Code;
use tradewind_testing::Database;

use crate::people::Person;
use crate::shop::{Shop, in_a_shop};
use system_tests::offer::Offer;

/// How often all three are sent at the same time.
const AT_ONCE: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    CancelFirst,
    PlaceSecond,
    DispatchFirst,
}
use Step::{CancelFirst, DispatchFirst, PlaceSecond};

const ORDERS_OF_ARRIVAL: [[Step; 3]; 6] = [
    [CancelFirst, PlaceSecond, DispatchFirst],
    [CancelFirst, DispatchFirst, PlaceSecond],
    [PlaceSecond, CancelFirst, DispatchFirst],
    [PlaceSecond, DispatchFirst, CancelFirst],
    [DispatchFirst, CancelFirst, PlaceSecond],
    [DispatchFirst, PlaceSecond, CancelFirst],
];

#[test]
fn one_unit_is_never_sold_twice_on_sqlite() {
    in_a_shop(Database::sqlite, race_in_every_order);
}

#[test]
fn one_unit_is_never_sold_twice_on_postgres() {
    in_a_shop(Database::postgres, race_in_every_order);
}

async fn race_in_every_order(shop: &mut Shop) {
    let looks = AtomicU32::new(0);
    let races = Box::pin(races(shop));
    let watch = Box::pin(watch_stock(&shop.operator, &looks));
    select(races, watch).await;
    assert!(looks.into_inner() > 10, "the stock was hardly looked at");
}

/// Looks at the stock all the while.
async fn watch_stock(operator: &Person, looks: &AtomicU32) {
    loop {
        for level in operator.stock().await {
            assert!(not_negative(&level).is_none(), "{level:?}");
        }
        looks.fetch_add(1, Ordering::Relaxed);
    }
}

async fn races(shop: &Shop) {
    for (number, steps) in ORDERS_OF_ARRIVAL.into_iter().enumerate() {
        // As fast as the calls are answered: what they lead to may still arrive in any order.
        let hasty = Race::prepare(shop, format!("hasty-{number}")).await;
        let outcome = hasty.run(steps, async |_| {}).await;
        hasty.check(&format!("hasty {steps:?}"), &outcome).await;
        // Each only when the one before has come about: then there is one right outcome.
        let patient = Race::prepare(shop, format!("patient-{number}")).await;
        let outcome = patient.run(steps, async |so_far: &Answers| patient.come_about(so_far).await).await;
        let ended = patient.check(&format!("patient {steps:?}"), &outcome).await;
        let place = |wanted: Step| steps.iter().position(|step| *step == wanted);
        let cancelled = place(CancelFirst) < place(DispatchFirst);
        let second_confirmed = cancelled && place(CancelFirst) < place(PlaceSecond);
        assert_eq!(ended, Ended { shipped: !cancelled, second_confirmed }, "patient {steps:?}");
    }
    for number in 0..AT_ONCE {
        let race = Race::prepare(shop, format!("at-once-{number}")).await;
        // Each over connections of its own, so that none waits for another.
        let (cancelled, second, dispatched) =
            join3(race.cancel_first(), race.place_second(), race.dispatch_first()).await;
        let outcome = Answers { cancelled: Some(cancelled), second: Some(second), dispatched: Some(dispatched) };
        race.check("at once", &outcome).await;
    }
}

/// What the calls have answered.
#[derive(Debug, Default)]
struct Answers {
    /// Whether the cancellation was accepted, which doesn't mean that it comes about.
    cancelled: Option<bool>,
    second: Option<Order>,
    dispatched: Option<bool>,
}

/// What came of the two orders: the first was shipped or else cancelled, the second confirmed or else out of stock.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    shipped: bool,
    second_confirmed: bool,
}

struct Race<'a> {
    operator: &'a Person,
    customers: [Person; 2],
    product: Offer,
    first: Order,
}

impl<'a> Race<'a> {
    /// One unit, and a first order for it that is confirmed and may leave.
    async fn prepare(shop: &'a Shop, product: String) -> Self {
        let product = shop.offer(&product, 450, 1).await;
        let first = shop.operator.place(product.order(1)).await;
        let settled = shop.operator.settled(&first.order_id).await;
        assert_eq!(settled.status(), OrderStatus::Confirmed, "{settled:?}");
        shop.operator.cleared(&first.order_id).await;
        Self { operator: &shop.operator, customers: [shop.person("gateway"), shop.person("gateway")], product, first }
    }

    /// Takes one step after the other, and `between` them does what it says.
    async fn run(&self, steps: [Step; 3], between: impl AsyncFn(&Answers)) -> Answers {
        let mut outcome = Answers::default();
        for step in steps {
            match step {
                CancelFirst => outcome.cancelled = Some(self.cancel_first().await),
                PlaceSecond => outcome.second = Some(self.place_second().await),
                DispatchFirst => outcome.dispatched = Some(self.dispatch_first().await),
            }
            between(&outcome).await;
        }
        outcome
    }

    /// Waits until everything that was asked for so far has come about.
    async fn come_about(&self, so_far: &Answers) {
        match (so_far.dispatched, so_far.cancelled) {
            (Some(true), _) => drop(self.operator.reaches(&self.first.order_id, &[OrderStatus::Shipped]).await),
            (_, Some(true)) => drop(self.operator.reaches(&self.first.order_id, &[OrderStatus::Cancelled]).await),
            _ => {}
        }
        if let Some(second) = &so_far.second {
            self.operator.settled(&second.order_id).await;
        }
    }

    async fn cancel_first(&self) -> bool {
        let answer = self.customers[0].cancel(&self.first.order_id).await;
        answer.inspect_err(|refused| assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}")).is_ok()
    }

    async fn place_second(&self) -> Order {
        self.customers[1].place(self.product.order(1)).await
    }

    async fn dispatch_first(&self) -> bool {
        let answer = self.operator.dispatch(&self.first.order_id).await;
        answer.inspect_err(|refused| assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}")).is_ok()
    }

    /// Waits until both orders are settled, and fails unless their outcomes go together.
    async fn check(&self, race: &str, outcome: &Answers) -> Ended {
        let decided = [OrderStatus::Shipped, OrderStatus::Cancelled];
        let first = self.operator.reaches(&self.first.order_id, &decided).await;
        let second = self.operator.settled(&outcome.second.as_ref().expect("it was placed").order_id).await;
        let second_confirmed = match (second.status(), second.cancellation_reason()) {
            (OrderStatus::Confirmed, _) => true,
            (OrderStatus::Cancelled, CancellationReason::OutOfStock) => false,
            _ => panic!("{race}: {second:?}"),
        };
        let shipped = first.status() == OrderStatus::Shipped;
        assert_eq!(Some(shipped), outcome.dispatched, "{race}: what shipping answered is what happened: {first:?}");
        if shipped {
            assert!(!second_confirmed, "{race}: one unit was sold twice: {first:?} {second:?}");
            assert!(!self.operator.settled(&self.first.order_id).await.cancellation_requested, "{race}");
        } else {
            assert_eq!(outcome.cancelled, Some(true), "{race}: cancelled although that was refused: {first:?}");
            assert_eq!(first.cancellation_reason(), CancellationReason::Customer, "{race}");
        }
        Ended { shipped, second_confirmed }
    }
}
