//! What a killed process has begun is ended by the next one, and only once.

use contracts::tradewind::payment::v1::PaymentStatus;
use tradewind_testing::{Database, block_on};

use crate::shop::{Shop, becomes};

/// The provider takes the money at once and answers three seconds later; the process dies in between.
#[test]
fn a_process_killed_between_capture_and_record_has_charged_once() {
    block_on(async {
        let shop = Shop::open(Database::sqlite()).await;
        let first = shop.start_mortal("9s").await;
        let order = shop.order("tok_slow").await;
        shop.provider_shows(&order, &["capture"]).await;
        first.kill();

        let running = shop.start().await;
        let operator = shop.client("operator", &running);
        let payment = becomes(&operator, &order, PaymentStatus::Captured).await;
        assert!(!payment.charge_id.is_empty());
        shop.provider_shows(&order, &["capture"]).await;
    });
}

#[test]
fn a_cancellation_after_such_a_crash_is_refunded_once() {
    block_on(async {
        let shop = Shop::open(Database::sqlite()).await;
        let first = shop.start_mortal("9s").await;
        let order = shop.order("tok_slow").await;
        shop.provider_shows(&order, &["capture"]).await;
        first.kill();
        shop.cancel(&order).await;

        let running = shop.start().await;
        let operator = shop.client("operator", &running);
        becomes(&operator, &order, PaymentStatus::Refunded).await;
        shop.provider_shows(&order, &["capture", "refund"]).await;
    });
}
