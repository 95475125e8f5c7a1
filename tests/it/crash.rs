//! A service that is killed between what it did outside and what it knows.

use contracts::tradewind::ordering::v1::{OrderStatus, PlaceOrderRequest};
use tradewind_testing::{Database, block_on, eventually};

use crate::process::Process;
use crate::shop::Shop;
use system_tests::PATIENCE;

#[test]
fn payment_is_killed_while_the_provider_is_charging_and_the_order_is_charged_once() {
    block_on(async {
        let shop = Shop::open_without("payment", Database::sqlite).await;
        let payment = Process::start(&shop, "payment").await;
        let tea = shop.offer("tea", 450, 5).await;
        // Captured at once, answered after three seconds.
        let order = PlaceOrderRequest { payment_token: "tok_slow".to_owned(), ..tea.order(2) };
        let placed = shop.operator.place(order).await;
        eventually(PATIENCE, "the provider has taken the money", async || {
            shop.outside.card_statement().await.iter().any(|entry| entry.order_id == placed.order_id)
        })
        .await;
        payment.kill().await;

        let payment = Process::start(&shop, "payment").await;
        let settled = shop.operator.settled(&placed.order_id).await;
        assert_eq!(settled.status(), OrderStatus::Confirmed, "{settled:?}");
        let entries = shop.outside.card_statement().await;
        assert_eq!(entries.len(), 1, "{entries:?}");
        shop.prove_books().await;
        payment.stop().await;
        shop.close().await;
    });
}
