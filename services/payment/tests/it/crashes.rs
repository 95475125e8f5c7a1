//! What a killed process has begun is ended by the next one, and only once.

use contracts::tradewind::payment::v1::PaymentStatus;
use tradewind_testing::{Database, block_on};

use crate::surroundings::{Surroundings, becomes};

/// The provider takes the money at once and answers three seconds later; the process dies in between.
#[test]
fn a_process_killed_between_capture_and_record_has_charged_once() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let first = around.start_mortal("9s").await;
        let order = around.order("tok_slow").await;
        around.provider_shows(&order, &["capture"]).await;
        first.kill();

        let running = around.start().await;
        let operator = around.client("operator", &running);
        let payment = becomes(&operator, &order, PaymentStatus::Captured).await;
        assert!(!payment.charge_id.is_empty());
        around.provider_shows(&order, &["capture"]).await;
    });
}

#[test]
fn a_cancellation_after_such_a_crash_is_refunded_once() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let first = around.start_mortal("9s").await;
        let order = around.order("tok_slow").await;
        around.provider_shows(&order, &["capture"]).await;
        first.kill();
        around.cancel(&order).await;

        let running = around.start().await;
        let operator = around.client("operator", &running);
        becomes(&operator, &order, PaymentStatus::Refunded).await;
        around.provider_shows(&order, &["capture", "refund"]).await;
    });
}
