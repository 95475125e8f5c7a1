//! The broker is a fast path: whatever it loses is fetched from its owner.

use contracts::tradewind::ordering::v1::{Order, OrderStatus};
use tradewind_testing::Database;

use crate::shop::{Shop, in_a_shop};
use system_tests::offer::Offer;

const BATCH: usize = 10;

#[test]
fn orders_are_confirmed_although_the_broker_forgets_everything_on_sqlite() {
    in_a_shop(Database::sqlite, lose_the_broker);
}

#[test]
fn orders_are_confirmed_although_the_broker_forgets_everything_on_postgres() {
    in_a_shop(Database::postgres, lose_the_broker);
}

async fn lose_the_broker(shop: &mut Shop) {
    let tea = shop.offer("tea", 450, 1_000).await;
    let mut orders = place(shop, &tea).await;
    shop.nats.stop();
    orders.extend(place(shop, &tea).await);
    shop.nats.wipe();
    shop.nats.start_again();
    orders.extend(place(shop, &tea).await);
    for order in &orders {
        let settled = shop.operator.settled(&order.order_id).await;
        assert_eq!(settled.status(), OrderStatus::Confirmed, "{settled:?}");
    }
}

/// A broker that is killed and keeps its data, in the middle of orders.
#[test]
fn orders_are_confirmed_although_the_broker_is_killed_twice() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let tea = shop.offer("tea", 450, 1_000).await;
        let mut orders = Vec::new();
        for _ in 0..2 {
            orders.extend(place(shop, &tea).await);
            shop.nats.stop();
            orders.extend(place(shop, &tea).await);
            shop.nats.start_again();
        }
        for order in &orders {
            let settled = shop.operator.settled(&order.order_id).await;
            assert_eq!(settled.status(), OrderStatus::Confirmed, "{settled:?}");
        }
    });
}

async fn place(shop: &Shop, product: &Offer) -> Vec<Order> {
    let mut orders = Vec::new();
    for _ in 0..BATCH {
        orders.push(shop.operator.place(product.order(1)).await);
    }
    orders
}
