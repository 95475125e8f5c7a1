//! Whatever the provider and the order do, money is taken once at most and given back once at most.

use contracts::tradewind::payment::v1::{
    GetPaymentRequest, ListPaymentsRequest, Mismatch, PaymentStatus, payment_service_client::PaymentServiceClient,
};
use serde_json::json;
use tradewind_mesh::Channel;
use tradewind_testing::{Database, block_on, both_stores, eventually};

use crate::surroundings::{DEADLINE, Surroundings, becomes};

fn once(kind: &str) -> (String, i64) {
    (kind.to_owned(), 2_000)
}

both_stores! {
    async fn what_is_charged_is_captured_once_and_listed(database: Database) {
        let around = Surroundings::open(database).await;
        let running = around.start().await;
        let mut operator = around.client("operator", &running);
        let orders = [around.order("tok_ok").await, around.order("tok_lost").await, around.order("tok_unavailable").await];
        for order in &orders {
            let payment = becomes(&operator, order, PaymentStatus::Captured).await;
            assert!(payment.charge_id.starts_with("ch_"), "{payment:?}");
            assert_eq!(payment.amount.unwrap().minor, 2_000);
            assert_eq!(around.provider.statement(order).await, [once("capture")]);
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
        let around = Surroundings::open(database).await;
        let running = around.start().await;
        let operator = around.client("operator", &running);
        // Captured at once, and answered later than anybody waits.
        let order = around.order("tok_slow").await;
        around.provider_shows(&order, &["capture"]).await;
        around.cancel(&order).await;
        let payment = becomes(&operator, &order, PaymentStatus::Refunded).await;
        assert!(payment.refund_id.len() > 3 && !payment.charge_id.is_empty(), "{payment:?}");
        assert_eq!(around.provider.statement(&order).await, [once("capture"), once("refund")]);
    }
}

#[test]
fn what_was_taken_and_not_asked_for_is_paid_back_as_it_was_taken() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let running = around.start().await;
        let mut operator = around.client("operator", &running);
        for (token, taken, currency, mismatch) in [
            ("tok_short", 1, "GBP", Mismatch::Amount),
            ("tok_over", 2_001, "GBP", Mismatch::Amount),
            ("tok_currency", 2_000, "EUR", Mismatch::Currency),
            ("tok_no_id", 2_000, "GBP", Mismatch::IdMissing),
        ] {
            let order = around.order(token).await;
            let payment = becomes(&operator, &order, PaymentStatus::Refunded).await;
            around.cancel(&order).await;
            assert_eq!((payment.amount.as_ref().unwrap().minor, payment.mismatch()), (2_000, mismatch), "{token}");
            let captured = payment.captured.unwrap();
            assert_eq!((captured.minor, captured.currency.as_str()), (taken, currency), "{token}");
            let moved = [("capture".to_owned(), taken), ("refund".to_owned(), taken)];
            assert_eq!(around.provider.statement(&order).await, moved, "{token}");
        }
        // No other test of this process moves euros. The order was cancelled when the money was back already.
        for movement in ["captured", "refunded"] {
            eventually(DEADLINE, "what was moved is counted once", async || {
                let url = format!("http://{}/metrics", running.admin_addr());
                let text =
                    tradewind_runtime::direct().build().unwrap().get(url).send().await.unwrap().text().await.unwrap();
                let series =
                    format!("tradewind_payment_moved_minor_total{{currency=\"EUR\",movement=\"{movement}\"}} 2000");
                if text.lines().any(|line| line == series) { Ok(()) } else { Err(text) }
            })
            .await;
        }
        for (token, kind, said) in
            [("tok_zero", "capture", 0), ("tok_negative", "capture", -2_000), ("tok_verbose", "decline", 2_000)]
        {
            let order = around.order(token).await;
            let payment = becomes(&operator, &order, PaymentStatus::Declined).await;
            let reason = if kind == "decline" { "UNNAMED" } else { "PROVIDER_MISMATCH" };
            assert_eq!(payment.decline_reason, reason, "{token}");
            assert_eq!(around.provider.statement(&order).await, [(kind.to_owned(), said)], "{token}");
        }
        let [first, second] = [around.order("tok_same_id").await, around.order("tok_same_id").await];
        let mut ends = Vec::new();
        for order in [&first, &second] {
            ends.push(ends_as(&operator, order).await);
        }
        ends.sort_unstable();
        assert_eq!(ends, [PaymentStatus::Captured, PaymentStatus::Refunded], "one of the two has the id");

        let order = around.order("tok_refund_short").await;
        becomes(&operator, &order, PaymentStatus::Captured).await;
        around.cancel(&order).await;
        let payment = becomes(&operator, &order, PaymentStatus::Refunded).await;
        assert_eq!(payment.mismatch(), Mismatch::Amount, "less came back than was taken");
        let listed = eventually(DEADLINE, "the list says so too", async || {
            let listed = operator.list_payments(ListPaymentsRequest::default()).await.unwrap().into_inner().payments;
            listed.into_iter().find(|listed| *listed == payment)
        });
        listed.await;
        eventually(DEADLINE, "every one is counted", async || {
            let url = format!("http://{}/metrics", running.admin_addr());
            let text =
                tradewind_runtime::direct().build().unwrap().get(url).send().await.unwrap().text().await.unwrap();
            let counted = |line: &str| {
                line.starts_with("tradewind_outside_mismatches_total{") && line.contains("party=\"card provider\"")
            };
            let count = text.lines().find(|line| counted(line)).and_then(|line| line.rsplit(' ').next()?.parse().ok());
            if count.is_some_and(|count: u64| count >= 8) { Ok(()) } else { Err(text) }
        })
        .await;
    });
}

/// Waits until nothing more is to be done about the order's payment.
async fn ends_as(operator: &PaymentServiceClient<Channel>, order: &str) -> PaymentStatus {
    eventually(DEADLINE, "the payment has come to its end", async || {
        let request = GetPaymentRequest { order_id: order.to_owned() };
        let payment = operator.clone().get_payment(request).await.map_err(|error| error.to_string())?;
        match payment.into_inner().payment.unwrap_or_default().status() {
            end @ (PaymentStatus::Captured | PaymentStatus::Refunded) => Ok(end),
            status => Err(status.as_str_name().to_owned()),
        }
    })
    .await
}

#[test]
fn a_refusal_is_a_refusal() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let running = around.start().await;
        let operator = around.client("operator", &running);
        for (token, reason) in [("tok_declined", "CARD_DECLINED"), ("tok_insufficient", "INSUFFICIENT_FUNDS")] {
            let order = around.order(token).await;
            let payment = becomes(&operator, &order, PaymentStatus::Declined).await;
            assert_eq!(payment.decline_reason, reason);
            // The order then cancels itself, which owes nobody anything.
            around.cancel(&order).await;
            let next = around.order("tok_ok").await;
            becomes(&operator, &next, PaymentStatus::Captured).await;
            assert_eq!(becomes(&operator, &order, PaymentStatus::Declined).await, payment);
            assert_eq!(around.provider.statement(&order).await, [once("decline")]);
        }
    });
}

#[test]
fn a_provider_that_never_answers_takes_nothing_once_the_order_is_cancelled() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let running = around.start().await;
        let operator = around.client("operator", &running);
        let order = around.order("tok_timeout").await;
        becomes(&operator, &order, PaymentStatus::Pending).await;
        around.cancel(&order).await;
        becomes(&operator, &order, PaymentStatus::Voided).await;
        around.provider_shows(&order, &["void"]).await;
    });
}

#[test]
fn what_was_captured_is_given_back_when_the_order_is_cancelled() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let running = around.start().await;
        let operator = around.client("operator", &running);
        let order = around.order("tok_ok").await;
        becomes(&operator, &order, PaymentStatus::Captured).await;
        around.cancel(&order).await;
        becomes(&operator, &order, PaymentStatus::Refunded).await;
        assert_eq!(around.provider.statement(&order).await, [once("capture"), once("refund")]);
    });
}

#[test]
fn an_order_cancelled_before_anybody_looked_is_never_charged() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let order = around.order("tok_ok").await;
        around.cancel(&order).await;
        let running = around.start().await;
        let operator = around.client("operator", &running);
        becomes(&operator, &order, PaymentStatus::Voided).await;
        around.provider_shows(&order, &["void"]).await;
    });
}

#[test]
fn a_provider_that_loses_answers_and_goes_away_changes_nothing() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let running = around.start().await;
        let operator = around.client("operator", &running);
        around.provider.disturb(&json!({"card": {"down": true}})).await;
        let mut orders = Vec::new();
        for _ in 0..20 {
            orders.push(around.order("tok_ok").await);
        }
        for order in &orders {
            becomes(&operator, order, PaymentStatus::Pending).await;
        }
        around.provider.disturb(&json!({"card": {"lost_answer_rate": 0.5, "error_rate": 0.2}})).await;
        for order in &orders[..10] {
            around.cancel(order).await;
        }
        for order in &orders[10..] {
            becomes(&operator, order, PaymentStatus::Captured).await;
            assert_eq!(around.provider.statement(order).await, [once("capture")]);
        }
        for order in &orders[..10] {
            eventually(DEADLINE, "the cancelled order is square", async || {
                let statement = around.provider.statement(order).await;
                let kinds: Vec<&str> = statement.iter().map(|(kind, _)| kind.as_str()).collect();
                matches!(kinds[..], ["void"] | ["capture", "refund"])
            })
            .await;
        }
        around.provider.calm().await;
    });
}
