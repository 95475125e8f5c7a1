//! Whatever the provider and the order do, money is taken once at most and given back once at most.

use contracts::tradewind::payment::v1::{ListPaymentsRequest, PaymentStatus};
use serde_json::json;
use tradewind_testing::{Database, block_on, both_stores, eventually};

use crate::shop::{DEADLINE, Shop, becomes};

fn once(kind: &str) -> (String, i64) {
    (kind.to_owned(), 2_000)
}

both_stores! {
    async fn what_is_charged_is_captured_once_and_listed(database: Database) {
        let shop = Shop::open(database).await;
        let running = shop.start().await;
        let mut operator = shop.client("operator", &running);
        let orders = [shop.order("tok_ok").await, shop.order("tok_lost").await, shop.order("tok_unavailable").await];
        for order in &orders {
            let payment = becomes(&operator, order, PaymentStatus::Captured).await;
            assert!(payment.charge_id.starts_with("ch_"), "{payment:?}");
            assert_eq!(payment.amount.unwrap().minor, 2_000);
            assert_eq!(shop.provider.statement(order).await, [once("capture")]);
        }

        let listed = eventually(DEADLINE, "all are listed as captured", async || {
            let listed = operator.clone().list_payments(ListPaymentsRequest::default()).await.unwrap().into_inner();
            let all = listed.payments.len() == 3
                && listed.payments.iter().all(|payment| payment.status() == PaymentStatus::Captured);
            all.then_some(listed)
        });
        let listed = listed.await;
        assert_eq!(listed.next_page_token, "");
        let mut pages = Vec::new();
        let mut page_token = String::new();
        loop {
            let page = operator.list_payments(ListPaymentsRequest { page_size: 2, page_token }).await.unwrap().into_inner();
            pages.extend(page.payments);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(pages, listed.payments);
        for (listed, order) in pages.iter().zip(&orders) {
            assert_eq!(*listed, becomes(&operator, order, PaymentStatus::Captured).await);
        }
    }

    async fn a_cancellation_that_races_a_capture_is_refunded_once(database: Database) {
        let shop = Shop::open(database).await;
        let running = shop.start().await;
        let operator = shop.client("operator", &running);
        // Captured at once, and answered later than anybody waits.
        let order = shop.order("tok_slow").await;
        shop.provider_shows(&order, &["capture"]).await;
        shop.cancel(&order).await;
        let payment = becomes(&operator, &order, PaymentStatus::Refunded).await;
        assert!(payment.refund_id.len() > 3 && !payment.charge_id.is_empty(), "{payment:?}");
        assert_eq!(shop.provider.statement(&order).await, [once("capture"), once("refund")]);
    }
}

#[test]
fn a_refusal_is_a_refusal() {
    block_on(async {
        let shop = Shop::open(Database::sqlite()).await;
        let running = shop.start().await;
        let operator = shop.client("operator", &running);
        for (token, reason) in [("tok_declined", "CARD_DECLINED"), ("tok_insufficient", "INSUFFICIENT_FUNDS")] {
            let order = shop.order(token).await;
            let payment = becomes(&operator, &order, PaymentStatus::Declined).await;
            assert_eq!(payment.decline_reason, reason);
            // The order then cancels itself, which owes nobody anything.
            shop.cancel(&order).await;
            let next = shop.order("tok_ok").await;
            becomes(&operator, &next, PaymentStatus::Captured).await;
            assert_eq!(becomes(&operator, &order, PaymentStatus::Declined).await, payment);
            assert_eq!(shop.provider.statement(&order).await, [once("decline")]);
        }
    });
}

#[test]
fn a_provider_that_never_answers_takes_nothing_once_the_order_is_cancelled() {
    block_on(async {
        let shop = Shop::open(Database::sqlite()).await;
        let running = shop.start().await;
        let operator = shop.client("operator", &running);
        let order = shop.order("tok_timeout").await;
        becomes(&operator, &order, PaymentStatus::Pending).await;
        shop.cancel(&order).await;
        becomes(&operator, &order, PaymentStatus::Voided).await;
        shop.provider_shows(&order, &["void"]).await;
    });
}

#[test]
fn what_was_captured_is_given_back_when_the_order_is_cancelled() {
    block_on(async {
        let shop = Shop::open(Database::sqlite()).await;
        let running = shop.start().await;
        let operator = shop.client("operator", &running);
        let order = shop.order("tok_ok").await;
        becomes(&operator, &order, PaymentStatus::Captured).await;
        shop.cancel(&order).await;
        becomes(&operator, &order, PaymentStatus::Refunded).await;
        assert_eq!(shop.provider.statement(&order).await, [once("capture"), once("refund")]);
    });
}

#[test]
fn an_order_cancelled_before_anybody_looked_is_never_charged() {
    block_on(async {
        let shop = Shop::open(Database::sqlite()).await;
        let order = shop.order("tok_ok").await;
        shop.cancel(&order).await;
        let running = shop.start().await;
        let operator = shop.client("operator", &running);
        becomes(&operator, &order, PaymentStatus::Voided).await;
        shop.provider_shows(&order, &["void"]).await;
    });
}

#[test]
fn a_provider_that_loses_answers_and_goes_away_changes_nothing() {
    block_on(async {
        let shop = Shop::open(Database::sqlite()).await;
        let running = shop.start().await;
        let operator = shop.client("operator", &running);
        shop.provider.disturb(&json!({"card": {"down": true}})).await;
        let mut orders = Vec::new();
        for _ in 0..20 {
            orders.push(shop.order("tok_ok").await);
        }
        for order in &orders {
            becomes(&operator, order, PaymentStatus::Pending).await;
        }
        shop.provider.disturb(&json!({"card": {"lost_answer_rate": 0.5, "error_rate": 0.2}})).await;
        for order in &orders[..10] {
            shop.cancel(order).await;
        }
        for order in &orders[10..] {
            becomes(&operator, order, PaymentStatus::Captured).await;
            assert_eq!(shop.provider.statement(order).await, [once("capture")]);
        }
        for order in &orders[..10] {
            eventually(DEADLINE, "the cancelled order is square", async || {
                let statement = shop.provider.statement(order).await;
                let kinds: Vec<&str> = statement.iter().map(|(kind, _)| kind.as_str()).collect();
                matches!(kinds[..], ["void"] | ["capture", "refund"])
            })
            .await;
        }
        shop.provider.calm().await;
    });
}
