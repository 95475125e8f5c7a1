//! Customers are told by way of the sink.

use contracts::tradewind::notification::v1::{ListNotificationsRequest, NotificationKind};
use serde_json::{Value, json};
use tradewind_testing::{Database, block_on, both_stores};

use crate::sink::Sink;
use crate::surroundings::{CUSTOMER, Surroundings};

fn field<'a>(message: &'a Value, name: &str) -> &'a str {
    message[name].as_str().unwrap()
}

both_stores! {
    async fn a_customer_is_told_what_becomes_of_an_order(database: Database) {
        let (around, sink) = (Surroundings::open(database).await, Sink::start().await);
        let operator = around.start(around.settings().with("outside_url", sink.url())).await;
        let order = around.confirmed(CUSTOMER).await;
        operator.sees_sent(&order, 1).await;
        around.shipped(&order, CUSTOMER).await;
        let seen = operator.sees_sent(&order, 2).await;

        let kinds: Vec<_> = seen.iter().map(|notification| notification.kind()).collect();
        assert_eq!(kinds, [NotificationKind::OrderConfirmed, NotificationKind::OrderShipped]);
        assert!(seen.iter().all(|notification| notification.recipient == CUSTOMER && notification.sent_time.is_some()));
        let messages = sink.messages().await;
        assert_eq!(messages.len(), 2);
        for ((message, kind), listed) in messages.iter().zip(["confirmed", "shipped"]).zip(&seen) {
            assert_eq!(field(message, "key"), format!("mail/{order}/{kind}"));
            assert_eq!((field(message, "to"), field(message, "subject")), (CUSTOMER, listed.subject.as_str()));
        }
        assert!(field(&messages[0], "body").contains("We have charged your card GBP 12.34.\n"), "{}", messages[0]);
        assert!(field(&messages[1], "body").contains("Its tracking number is TW000000001.\n"), "{}", messages[1]);

        let first = ListNotificationsRequest { order_id: order.clone(), page_size: 1, ..Default::default() };
        let first = operator.list(first).await.unwrap();
        assert_eq!(first.notifications, seen[..1]);
        let page_token = first.next_page_token;
        let rest = operator.list(ListNotificationsRequest { order_id: order, page_size: 1, page_token }).await.unwrap();
        assert_eq!((rest.notifications.as_slice(), rest.next_page_token.as_str()), (&seen[1..], ""));
        operator.stop().await;
    }

    async fn a_cancelled_order_says_what_was_paid_back(database: Database) {
        let (around, sink) = (Surroundings::open(database).await, Sink::start().await);
        let operator = around.start(around.settings().with("outside_url", sink.url())).await;
        let (charged, free) = (around.closed(CUSTOMER, Some(500)).await, around.closed(CUSTOMER, None).await);
        assert_eq!(operator.sees_sent(&charged, 1).await[0].kind(), NotificationKind::OrderCancelled);
        operator.sees_sent(&free, 1).await;
        for message in sink.messages().await {
            let told = if field(&message, "key").contains(&charged) { "paid back GBP 5.00" } else { "not been charged" };
            assert!(field(&message, "body").contains(told), "{message}");
        }
        operator.stop().await;
    }
}

#[test]
fn a_sink_that_loses_answers_gets_every_message_once() {
    block_on(async {
        let (around, sink) = (Surroundings::open(Database::sqlite()).await, Sink::start().await);
        let operator = around.start(around.settings().with("outside_url", sink.url())).await;
        sink.disturb(json!({ "lost_answer_rate": 0.4, "error_rate": 0.2 })).await;
        let mut orders = Vec::new();
        for _ in 0..12 {
            orders.push(around.confirmed(CUSTOMER).await);
        }
        for order in &orders {
            operator.sees_sent(order, 1).await;
        }
        assert_eq!(sink.messages().await.len(), orders.len());
    });
}

#[test]
fn a_message_is_given_up_after_so_many_attempts_and_holds_nothing_up() {
    block_on(async {
        let (around, sink) = (Surroundings::open(Database::sqlite()).await, Sink::start().await);
        let settings = around.settings().with("outside_url", sink.url()).with("mail_attempts", "2");
        let operator = around.start(settings).await;
        sink.disturb(json!({ "down": true })).await;
        let order = around.confirmed(CUSTOMER).await;
        around.sees_given_up(1).await;
        sink.calm().await;
        around.shipped(&order, CUSTOMER).await;
        let seen = operator.sees_sent(&order, 1).await;
        assert_eq!((seen[0].sent, seen[1].sent), (false, true));
        assert_eq!((seen[0].failed, seen[0].failure_reason.as_str()), (true, "NO_ANSWER"));
        assert!(operator.counted("result=\"failed\"").await > 0 && operator.counted("kind=\"shipped\"").await > 0);
        assert_eq!(sink.messages().await.len(), 1);
    });
}

#[test]
fn nobody_is_told_where_there_is_no_usable_address() {
    block_on(async {
        let (around, sink) = (Surroundings::open(Database::sqlite()).await, Sink::start().await);
        let operator = around.start(around.settings().with("outside_url", sink.url())).await;
        let nobody = around.confirmed("").await;
        let crooked = around.confirmed("a@example.com\r\nBcc: b@example.com").await;
        let too_long = around.confirmed(&format!("{}@example.com", "a".repeat(300))).await;
        let fine = around.confirmed(CUSTOMER).await;
        operator.sees_sent(&fine, 1).await;
        around.sees_given_up(2).await;
        assert!(operator.about(&nobody).await.is_empty());
        for (order, reason) in [(&crooked, "INVALID_ADDRESS"), (&too_long, "TOO_LONG")] {
            let told = &operator.about(order).await[0];
            assert_eq!((told.sent, told.failed, told.failure_reason.as_str()), (false, true, reason));
        }
        assert_eq!(sink.messages().await.len(), 1);
    });
}
