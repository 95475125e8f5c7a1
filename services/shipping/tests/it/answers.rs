//! Requests that cannot be answered say why, settings that make no sense are refused before anything starts.

use contracts::tradewind::shipping::v1::ListShipmentsRequest;
use tonic::Code;
use tradewind_mesh::{missing, reason, violations};
use tradewind_testing::{Database, block_on};

use crate::surroundings::{DEADLINE, Surroundings};

#[test]
fn malformed_requests_name_their_field_and_strangers_are_turned_away() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let operator = around.start().await;
        let unknown = "0190163d-8694-739b-aea5-966c26f8ad91";
        for (id, code, why) in [
            ("1", Code::InvalidArgument, "INVALID_ORDER_ID"),
            ("", Code::InvalidArgument, "INVALID_ORDER_ID"),
            (unknown, Code::NotFound, "SHIPMENT_NOT_FOUND"),
        ] {
            for refused in [operator.get(id).await, operator.dispatch(id).await, operator.deliver(id).await] {
                let refused = refused.unwrap_err();
                assert_eq!((refused.code(), reason(&refused).as_deref()), (code, Some(why)));
                let field = violations(&refused).into_iter().next().map(|violation| violation.field);
                let missing = missing(&refused).into_iter().next().map(|missing| missing.name);
                let named = if code == Code::NotFound { (None, Some(unknown)) } else { (Some("order_id"), None) };
                assert_eq!((field.as_deref(), missing.as_deref()), named);
            }
        }
        for (page_size, page_token, field) in [(-1, "", "page_size"), (0, "x", "page_token")] {
            let request = ListShipmentsRequest { page_size, page_token: page_token.to_owned() };
            let refused = operator.client.clone().list_shipments(request).await.unwrap_err();
            assert_eq!((refused.code(), violations(&refused)[0].field.as_str()), (Code::InvalidArgument, field));
        }
        let mut running = operator.running;
        running.ready(DEADLINE).await.unwrap();
        let stranger = around.operator("catalog", running);
        assert_eq!(stranger.dispatch(unknown).await.unwrap_err().code(), Code::PermissionDenied);
    });
}

#[test]
fn a_setting_that_makes_no_sense_is_named() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        for (key, value) in [
            ("outside_url", "not a url"),
            ("outside_url", "mailto:somebody"),
            ("outside_timeout", "soon"),
            ("outside_timeout", "6s"),
            ("carrier_concurrency", "0"),
        ] {
            let refused = shipping::service().start(around.settings().with(key, value)).await.unwrap_err().to_string();
            let name = format!("TRADEWIND_{}", key.to_uppercase());
            assert!(refused.starts_with(&name), "{refused}");
        }
    });
}
