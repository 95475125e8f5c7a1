//! Requests that cannot be answered say why, settings that make no sense are refused before anything starts.

use contracts::tradewind::payment::v1::{GetPaymentRequest, ListPaymentsRequest, PaymentStatus};
use tonic::Code;
use tradewind_mesh::{reason, violations};
use tradewind_testing::{Database, block_on, eventually};

use crate::surroundings::{DEADLINE, Surroundings, becomes};

#[test]
fn malformed_requests_name_their_field_and_strangers_are_turned_away() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let running = around.start().await;
        let mut operator = around.client("operator", &running);
        let order = |id: &str| GetPaymentRequest { order_id: id.to_owned() };
        let refused = operator.get_payment(order("1")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::InvalidArgument, Some("INVALID_ORDER_ID")));
        let refused = operator.get_payment(order("0190163d-8694-739b-aea5-966c26f8ad91")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::NotFound, Some("PAYMENT_NOT_FOUND")));
        for (page_size, page_token, field) in [(-1, "", "page_size"), (0, "x", "page_token")] {
            let request = ListPaymentsRequest { page_size, page_token: page_token.to_owned() };
            let refused = operator.list_payments(request).await.unwrap_err();
            assert_eq!((refused.code(), violations(&refused)[0].field.as_str()), (Code::InvalidArgument, field));
        }
        let refused = around.client("shipping", &running).get_payment(order("1")).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
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
            ("outside_timeout", "11s"),
            ("charge_concurrency", "0"),
        ] {
            let refused = payment::service().start(around.settings().with(key, value)).await.unwrap_err().to_string();
            let name = format!("TRADEWIND_{}", key.to_uppercase());
            assert!(refused.starts_with(&name), "{refused}");
        }
    });
}

#[test]
fn every_call_to_the_provider_is_counted_by_what_came_of_it() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let running = around.start().await;
        let operator = around.client("operator", &running);
        let order = around.order("tok_unavailable").await;
        becomes(&operator, &order, PaymentStatus::Captured).await;
        let url = format!("http://{}/metrics", running.admin_addr());
        let http = tradewind_runtime::direct().build().unwrap();
        for (name, result) in [
            ("tradewind_payment_provider_requests_total", "captured"),
            ("tradewind_payment_provider_requests_total", "unknown"),
            ("tradewind_payment_provider_request_duration_seconds_count", "captured"),
        ] {
            let counted = |line: &str| {
                let labelled = line.contains("action=\"charge\"") && line.contains(&format!("result=\"{result}\""));
                line.starts_with(name) && labelled && !line.ends_with(" 0")
            };
            eventually(DEADLINE, &format!("{name} counts {result}"), async || {
                let text = http.get(&url).send().await.unwrap().text().await.unwrap();
                text.lines().any(counted).then_some(()).ok_or(text)
            })
            .await;
        }
    });
}
