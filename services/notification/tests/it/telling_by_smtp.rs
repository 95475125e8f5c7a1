//! Customers are told by way of a mail server.

use tradewind_testing::{Database, block_on};

use crate::mail_server::MailServer;
use crate::surroundings::{CUSTOMER, Surroundings};

#[test]
fn a_mail_server_gets_a_whole_message() {
    block_on(async {
        let (around, server) = (Surroundings::open(Database::sqlite()).await, MailServer::start().await);
        let settings = around.settings().with("smtp_url", server.url()).with("mail_from", "Shop <shop@example.net>");
        let operator = around.start(settings).await;
        let order = around.confirmed(CUSTOMER).await;
        let seen = operator.sees_sent(&order, 1).await;

        let [message] = &server.taken()[..] else { panic!("{:?}", server.taken()) };
        assert_eq!((message.from.as_str(), message.to.as_slice()), ("shop@example.net", &[CUSTOMER.to_owned()][..]));
        assert_eq!(message.header("From"), "Shop <shop@example.net>");
        assert_eq!(message.header("To"), CUSTOMER);
        assert_eq!(message.header("Subject"), seen[0].subject);
        assert_eq!(message.header("Message-ID"), format!("<confirmed.{order}.mail@example.net>"));
        assert!(message.header("Content-Type").starts_with("text/plain"), "{}", message.text);
        assert!(message.body().starts_with("Hello A. Customer,\n"), "{}", message.text);
        assert!(message.body().contains("\nWe have charged your card GBP 12.34.\n"), "{}", message.text);
        operator.stop().await;
    });
}

#[test]
fn a_repeated_message_can_be_recognised() {
    block_on(async {
        let (around, server) = (Surroundings::open(Database::sqlite()).await, MailServer::start().await);
        let operator = around.start(around.settings().with("smtp_url", server.url())).await;
        server.lose_answers(1);
        let order = around.confirmed(CUSTOMER).await;
        operator.sees_sent(&order, 1).await;
        let [first, second] = &server.taken()[..] else { panic!("{:?}", server.taken()) };
        assert_eq!(first.header("Message-ID"), second.header("Message-ID"));
        assert_eq!(first.text, second.text);
    });
}

#[test]
fn a_recipient_that_does_not_exist_is_given_up_at_once_and_one_that_is_away_after_all_attempts() {
    block_on(async {
        let (around, server) = (Surroundings::open(Database::sqlite()).await, MailServer::start().await);
        let settings = around.settings().with("smtp_url", server.url()).with("mail_attempts", "3");
        let operator = around.start(settings).await;
        let unknown = around.confirmed("nobody@nowhere.example").await;
        around.sees_given_up(1).await;
        assert_eq!(server.connections(), 1);
        let away = around.confirmed("somebody@later.example").await;
        around.sees_given_up(2).await;
        assert_eq!(server.connections(), 4);
        let fine = around.confirmed(CUSTOMER).await;
        operator.sees_sent(&fine, 1).await;
        assert!(!operator.about(&unknown).await[0].sent && !operator.about(&away).await[0].sent);
        assert_eq!(server.taken().len(), 1);
    });
}
