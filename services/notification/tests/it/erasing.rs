//! Of whoever is erased nothing can be read any more, and nobody writes to them.

use contracts::tradewind::identity::v1::{
    ConfirmationForgotten, CustomerErased, PasswordChanged, VerificationRequested,
};
use contracts::tradewind::notification::v1::Notification;
use prost_types::Timestamp;
use serde_json::json;
use tradewind_runtime::Settings;
use tradewind_testing::{Database, both_stores, columns_with, eventually, traces, unsealed};
use uuid::Uuid;

use crate::sink::Sink;
use crate::surroundings::{CUSTOMER, DEADLINE, NAME, Operator, Surroundings};

const OTHER: &str = "other@example.com";
const CODE: &str = "12345678";
/// What a message about an order says.
const SAID: &str = "we are packing your parcel";

/// Waits until nobody can tell to whom any of so many messages went, or what they said.
async fn sees_erased(operator: &Operator, about: &str, count: usize) -> Vec<Notification> {
    eventually(DEADLINE, &format!("{count} messages are erased"), async || {
        let seen = operator.about(about).await;
        let left = |told: &Notification| !told.recipient.is_empty() || !told.subject.is_empty();
        let waits = |told: &Notification| !told.sent && !told.failed;
        let is_erased = seen.len() == count && !seen.iter().any(|told| left(told) || waits(told));
        if is_erased { Ok(seen) } else { Err(seen) }
    })
    .await
}

/// Waits until so many messages wait for a mail system that does not answer.
async fn sees_waiting(operator: &Operator, about: &str) {
    eventually(DEADLINE, "a message waits", async || {
        let seen = operator.about(about).await;
        if seen.iter().any(|told| !told.sent && !told.failed) { Ok(()) } else { Err(seen) }
    })
    .await;
}

async fn nothing_lies_open(around: &Surroundings) {
    for about in [CUSTOMER, OTHER, NAME, SAID, CODE] {
        assert_eq!(traces(&around.database, about).await, [""; 0], "{about}");
    }
}

fn outcome(told: &Notification) -> (bool, bool, &str) {
    (told.sent, told.failed, &told.failure_reason)
}

both_stores! {
    async fn an_order_that_is_erased_leaves_no_address_and_no_text_and_nothing_of_it_is_sent(database: Database) {
        let (around, sink) = (Surroundings::open(database).await, Sink::start().await);
        let operator = around.start(around.settings().with("outside_url", sink.url())).await;
        let (gone, stays) = (around.confirmed(CUSTOMER).await, around.confirmed(OTHER).await);
        let before = operator.sees_sent(&stays, 1).await;
        let told = operator.sees_sent(&gone, 1).await;
        assert_eq!((told[0].recipient.as_str(), told[0].subject.contains(&gone)), (CUSTOMER, true));
        sink.disturb(json!({ "down": true })).await;
        around.shipped(&gone, CUSTOMER).await;
        // It is read when it is sent: there is no room for it with the intent.
        let long = around.confirmed_with(CUSTOMER, &"T".repeat(17 * 1024)).await;
        for waiting in [&gone, &long] {
            sees_waiting(&operator, waiting).await;
        }
        nothing_lies_open(&around).await;

        around.erased(&gone).await;
        around.erased(&long).await;
        let seen = sees_erased(&operator, &gone, 2).await;
        assert_eq!((outcome(&seen[0]), outcome(&seen[1])), ((true, false, ""), (false, true, "ERASED")));
        assert_eq!(outcome(&sees_erased(&operator, &long, 1).await[0]), (false, true, "ERASED"));
        assert!(operator.counted("result=\"dropped\"").await >= 2);
        // As ordering tells it from then on.
        around.shipped(&long, "").await;
        sink.calm().await;
        around.shipped(&stays, OTHER).await;
        let after = operator.sees_sent(&stays, 2).await;
        assert_eq!(after[0], before[0]);
        assert_eq!(operator.about(&long).await.len(), 1);
        let sent = sink.messages().await;
        assert_eq!(sent.iter().filter(|sent| sent["to"] == CUSTOMER).count(), 1, "{sent:?}");
        nothing_lies_open(&around).await;
        operator.stop().await;
        nothing_lies_open(&around).await;
    }

    async fn an_account_and_a_code_that_are_erased_are_told_nothing_more(database: Database) {
        let (around, sink) = (Surroundings::open(database).await, Sink::start().await);
        let operator = around.start(around.settings().with("outside_url", sink.url())).await;
        sink.disturb(json!({ "down": true })).await;
        let code = |message_id, person| {
            let expire_time = Some(Timestamp { seconds: 4_000_000_000, nanos: 0 });
            VerificationRequested { message_id, person, code: CODE.to_owned(), expire_time }.into()
        };
        let asked = around.account(CUSTOMER, code).await;
        let (customer_id, message_id) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
        let person = Some(contracts::tradewind::identity::v1::Person { name: NAME.to_owned(), email: CUSTOMER.to_owned() });
        let changed = PasswordChanged { customer_id: customer_id.clone(), message_id: message_id.clone(), person };
        around.identity.say(&customer_id, changed).await;
        for waiting in [&asked, &message_id] {
            sees_waiting(&operator, waiting).await;
            assert_eq!(operator.about(waiting).await[0].recipient, CUSTOMER);
        }
        nothing_lies_open(&around).await;

        around.identity.say(&asked, ConfirmationForgotten { message_id: asked.clone() }).await;
        around.identity.say(&customer_id, CustomerErased { customer_id: customer_id.clone() }).await;
        assert_eq!(outcome(&sees_erased(&operator, &asked, 1).await[0]), (false, true, "ERASED"));
        // Its row does not name the account: it is dropped when it is to be sent.
        let seen = eventually(DEADLINE, "it is dropped", async || {
            let seen = operator.about(&message_id).await;
            if seen[0].failed { Ok(seen) } else { Err(seen) }
        })
        .await;
        assert_eq!((outcome(&seen[0]), seen[0].recipient.as_str(), seen[0].subject.as_str()), ((false, true, "ERASED"), "", ""));
        sink.calm().await;
        let order = around.confirmed(OTHER).await;
        operator.sees_sent(&order, 1).await;
        assert_eq!(sink.messages().await.len(), 1);
        nothing_lies_open(&around).await;
    }

    async fn what_was_written_before_there_were_seals_is_read_and_cleared(database: Database) {
        let (around, sink) = (Surroundings::open(database).await, Sink::start().await);
        let settings = || around.settings().with("outside_url", sink.url());
        around.start(settings()).await.stop().await;
        unsealed(&around.database).await;
        let operator = around.start(settings()).await;
        let (gone, stays) = (around.confirmed(CUSTOMER).await, around.confirmed(OTHER).await);
        let before = operator.sees_sent(&stays, 1).await;
        operator.sees_sent(&gone, 1).await;
        sink.disturb(json!({ "down": true })).await;
        around.shipped(&gone, CUSTOMER).await;
        sees_waiting(&operator, &gone).await;
        let open = columns_with(&around.database, CUSTOMER).await;
        assert_eq!(open, ["intent.payload", "notification.recipient"], "as it always was");
        operator.stop().await;

        let operator = around.start(Settings { seal: true, ..settings() }).await;
        assert_eq!(operator.about(&stays).await, before);
        around.erased(&gone).await;
        let seen = sees_erased(&operator, &gone, 2).await;
        assert_eq!((outcome(&seen[0]), outcome(&seen[1])), ((true, false, ""), (false, true, "ERASED")));
        assert_eq!(columns_with(&around.database, CUSTOMER).await, [""; 0]);
        assert!(columns_with(&around.database, &gone).await.contains(&"notification.order_id".to_owned()));
        sink.calm().await;
        around.shipped(&stays, OTHER).await;
        operator.sees_sent(&stays, 2).await;
        assert_eq!(sink.messages().await.iter().filter(|sent| sent["to"] == CUSTOMER).count(), 1);
        // What comes from now on is sealed.
        let sealed = "Its tracking number is TW000000001";
        let fresh = around.confirmed(CUSTOMER).await;
        operator.sees_sent(&fresh, 1).await;
        assert_eq!(columns_with(&around.database, CUSTOMER).await, [""; 0]);
        assert_eq!(columns_with(&around.database, sealed).await, ["notification.body"], "that of the other order");
    }
}
