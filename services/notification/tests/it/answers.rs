//! Requests that cannot be answered say why, settings that make no sense are refused before anything starts.

use contracts::tradewind::notification::v1::ListNotificationsRequest;
use tonic::Code;
use tradewind_mesh::violations;
use tradewind_testing::{Database, block_on};

use crate::surroundings::Surroundings;

#[test]
fn malformed_requests_name_their_field() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let operator = around.start(around.settings()).await;
        let unknown = "0190163d-8694-739b-aea5-966c26f8ad91";
        for (order_id, page_size, page_token, field) in
            [("1", 0, "", "order_id"), (unknown, -1, "", "page_size"), (unknown, 0, "x", "page_token")]
        {
            let (order_id, page_token) = (order_id.to_owned(), page_token.to_owned());
            let request = ListNotificationsRequest { order_id, page_size, page_token };
            let refused = operator.list(request).await.unwrap_err();
            assert_eq!((refused.code(), violations(&refused)[0].field.as_str()), (Code::InvalidArgument, field));
        }
        assert!(operator.about(unknown).await.is_empty(), "an order nobody was told of");
    });
}

#[test]
fn a_setting_that_makes_no_sense_is_named_and_a_password_is_not_repeated() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        for (key, value) in [
            ("outside_url", "mailto:somebody"),
            ("outside_timeout", "11s"),
            ("smtp_url", "http://user:secret@mail.example"),
            ("smtp_timeout", "0s"),
            ("mail_from", "nobody"),
            ("mail_attempts", "0"),
            ("mail_concurrency", "0"),
        ] {
            let started = notification::service().start(around.settings().with(key, value)).await;
            let refused = started.unwrap_err().to_string();
            assert!(refused.starts_with(&format!("TRADEWIND_{}", key.to_uppercase())), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    });
}
