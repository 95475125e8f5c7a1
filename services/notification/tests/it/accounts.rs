//! People are told about their accounts.

use std::time::{SystemTime, UNIX_EPOCH};

use contracts::tradewind::identity::v1::{
    EmailChangeRequested, EmailChanged, PasswordChanged, PasswordResetRequested, SignUpRepeated, VerificationRequested,
};
use contracts::tradewind::notification::v1::NotificationKind;
use prost_types::Timestamp;
use tradewind_testing::{Database, block_on, both_stores};

use crate::sink::Sink;
use crate::surroundings::{CUSTOMER, Surroundings};

const CODE: &str = "12345678";

/// So many seconds from now.
#[expect(clippy::disallowed_methods, reason = "the service goes by the same clock")]
fn in_seconds(seconds: i64) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Timestamp { seconds: i64::try_from(now).unwrap() + seconds, nanos: 0 }
}

both_stores! {
    async fn people_are_told_what_happens_to_their_accounts(database: Database) {
        let (around, sink) = (Surroundings::open(database).await, Sink::start().await);
        let operator = around.start(around.settings().with("outside_url", sink.url())).await;
        let code = CODE.to_owned();
        let verification = |message_id, person| {
            VerificationRequested { message_id, person, code: code.clone(), expire_time: Some(in_seconds(600)) }.into()
        };
        let reset = |message_id, person| {
            PasswordResetRequested { message_id, person, code: code.clone(), expire_time: Some(in_seconds(600)) }.into()
        };
        let repeated = |message_id, person| SignUpRepeated { message_id, person }.into();
        let changed =
            |message_id, person| PasswordChanged { customer_id: "c-1".to_owned(), message_id, person }.into();
        let moving = |message_id, person| {
            EmailChangeRequested { message_id, person, code: code.clone(), expire_time: Some(in_seconds(600)) }.into()
        };
        let moved = |message_id, person| EmailChanged { customer_id: "c-1".to_owned(), message_id, person }.into();
        let told = [
            (around.account(CUSTOMER, verification).await, NotificationKind::Verification, CODE),
            (around.account(CUSTOMER, reset).await, NotificationKind::PasswordReset, CODE),
            (around.account(CUSTOMER, repeated).await, NotificationKind::SignUpRepeated, "which has one already"),
            (around.account(CUSTOMER, changed).await, NotificationKind::PasswordChanged, "was changed just now"),
            (around.account(CUSTOMER, moving).await, NotificationKind::EmailChange, CODE),
            (around.account(CUSTOMER, moved).await, NotificationKind::EmailChanged, "has another e-mail address"),
        ];
        for (message, kind, says) in told {
            let seen = operator.sees_sent(&message, 1).await;
            assert_eq!((seen[0].kind(), seen[0].recipient.as_str()), (kind, ""), "to whom it went is not kept");
            let messages = sink.messages().await;
            let key = format!("mail/{message}/");
            let sent = messages.iter().find(|sent| sent["key"].as_str().unwrap().starts_with(&key)).unwrap();
            assert_eq!(sent["to"], CUSTOMER, "{sent}");
            assert!(sent["body"].as_str().unwrap().contains(says), "{sent}");
            assert!(!sent["subject"].as_str().unwrap().contains(CODE), "{sent}");
        }
        operator.stop().await;
        assert_eq!(around.texts().await, 0, "a code that was sent is not kept");
    }
}

#[test]
fn a_code_that_is_over_is_told_to_nobody() {
    block_on(async {
        let (around, sink) = (Surroundings::open(Database::sqlite()).await, Sink::start().await);
        let operator = around.start(around.settings().with("outside_url", sink.url())).await;
        let code = |seconds| {
            move |message_id, person| {
                let (code, expire_time) = (CODE.to_owned(), Some(in_seconds(seconds)));
                VerificationRequested { message_id, person, code, expire_time }.into()
            }
        };
        let late = around.account(CUSTOMER, code(-1)).await;
        let fine = around.account(CUSTOMER, code(600)).await;
        operator.sees_sent(&fine, 1).await;
        assert!(operator.about(&late).await.is_empty());
        assert_eq!(sink.messages().await.len(), 1);
    });
}
