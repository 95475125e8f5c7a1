#![allow(clippy::expect_used)]
use std::time::Duration;

use contracts::tradewind::catalog::v1::Product;
use tonic::Code;
use tonic_types::StatusExt;
use tradewind_domain::request::Violations;
use tradewind_domain::{Error, ErrorKind, FieldViolation, Missing};

use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use super::{FACTS, MOST_SENT, Told, answer, cut, fit, missing, reason, status, violations};

#[test]
fn a_refusal_keeps_its_reason_its_facts_and_its_fields() {
    let error = Error::invalid("lines[0].quantity", "QUANTITY_NOT_POSITIVE", "must be positive").with("sku", "A-1");
    let status = status(error);
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(reason(&status).as_deref(), Some("QUANTITY_NOT_POSITIVE"));
    assert_eq!(violations(&status)[0].field, "lines[0].quantity");
    let info = status.get_details_error_info();
    assert_eq!(info.and_then(|info| info.metadata.get("sku").cloned()).as_deref(), Some("A-1"));
}

#[test]
fn every_kind_has_its_code() {
    for (kind, code) in [
        (ErrorKind::Invalid, Code::InvalidArgument),
        (ErrorKind::NotFound, Code::NotFound),
        (ErrorKind::AlreadyExists, Code::AlreadyExists),
        (ErrorKind::Conflict, Code::Aborted),
        (ErrorKind::Rejected, Code::FailedPrecondition),
        (ErrorKind::Unauthenticated, Code::Unauthenticated),
        (ErrorKind::Denied, Code::PermissionDenied),
        (ErrorKind::Exhausted, Code::ResourceExhausted),
        (ErrorKind::Unavailable, Code::Unavailable),
        (ErrorKind::Internal, Code::Internal),
    ] {
        assert_eq!(status(Error::new(kind, "REASON", "text")).code(), code);
    }
}

#[test]
fn what_is_missing_is_named_with_its_kind_and_is_no_field_at_fault() {
    let unknown = Error::not_found::<Product>("tea", "PRODUCT_NOT_FOUND", "there is no such product");
    let told = missing(&status(unknown.clone().of::<Product>("milk")));
    let kind = "tradewind.catalog.v1.Product";
    assert_eq!(told, unknown.missing());
    assert_eq!((told.len(), told[0].kind.as_str(), told[0].name.as_str()), (1, kind, "tea"));
    assert!(violations(&status(unknown.clone())).is_empty());
    let many = (0..100).fold(unknown, |error, more| error.with_missing::<Product>(more.to_string(), "neither"));
    let info = status(many.clone()).get_details_error_info();
    assert_eq!(missing(&status(many)).len(), 8);
    assert_eq!(info.and_then(|info| info.metadata.get("more_missing").cloned()).as_deref(), Some("93"));
    let other = Error::new(ErrorKind::Rejected, "RETIRED", "it is off sale").of::<Product>("tea");
    assert!(other.missing().is_empty());
}

fn sent(status: &tonic::Status) -> usize {
    let mut headers = HeaderMap::new();
    status.add_header(&mut headers).expect("a status has headers");
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

#[test]
fn a_hundred_fields_at_fault_are_some_and_a_count() {
    let mut violations = Violations::default();
    for line in 0..100 {
        violations.add(format!("lines[{line}].quantity"), "QUANTITY_OUT_OF_RANGE", "must be 1 to 1000000");
    }
    let status = status(violations);
    assert_eq!((super::violations(&status).len(), reason(&status).as_deref()), (8, Some("QUANTITY_OUT_OF_RANGE")));
    assert!(status.message().ends_with("lines[7].quantity: must be 1 to 1000000; and 92 more"), "{status:?}");
    let more = status.get_details_error_info().and_then(|info| info.metadata.get("more_violations").cloned());
    assert_eq!(more.as_deref(), Some("92"));
}

#[test]
fn a_text_is_cut_between_characters_and_only_where_it_is_too_long() {
    assert_eq!((cut("tea", 3), cut("teas", 3), cut("ééé", 18)), ("tea".into(), "...".into(), "ééé".into()));
    assert_eq!((cut("éééé", 18), cut("a b c", 8)), ("éé...".into(), "a b...".into()));
}

proptest! {
    #[test]
    fn no_status_is_larger_than_trailers_may_be(texts in prop::collection::vec(worst(), 4), fields in 0_usize..100, things in 0_usize..100) {
        let [message, field, value, kind] = &texts[..] else { unreachable!("there are four") };
        let facts = (0..fields).map(|count| (format!("{count}{field}"), value.clone()));
        let violations = (0..fields)
            .map(|count| FieldViolation { field: format!("{count}{field}"), description: message.clone() })
            .collect();
        let missing = (0..things)
            .map(|count| Missing { kind: kind.clone(), name: format!("{count}{field}"), description: message.clone() })
            .collect();
        let told = Told { violations, missing, again: Some(Duration::MAX) };
        let status = answer(Code::NotFound, message, value, kind, facts, told);
        prop_assert!(sent(&status) <= MOST_SENT + 100, "{}", sent(&status));
        let info = status.get_details_error_info().expect("a reason");
        prop_assert!(info.metadata.len() <= FACTS);
        let left = |key| info.metadata.get(key).map_or(0, |more| more.parse::<usize>().expect("a number"));
        prop_assert_eq!(super::violations(&status).len() + left("more_violations"), fields);
        prop_assert_eq!(super::missing(&status).len() + left("more_missing"), things);
    }
}

/// What percent-encoding or UTF-8 makes the most of, short and long.
fn worst() -> impl Strategy<Value = String> {
    (prop::sample::select(vec!["a", " ", "%", "é", "이", "\u{1f375}", "\u{0}", "\u{202e}"]), 0_usize..10_000)
        .prop_map(|(letter, times)| letter.repeat(times))
}

#[test]
fn a_status_that_somebody_else_made_fits_before_it_is_sent() {
    let mut headers =
        HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"))]);
    let large = tonic::Status::with_details(Code::Aborted, "이".repeat(9_000), vec![7; 9_000].into());
    large.add_header(&mut headers).expect("a status has headers");
    fit(&mut headers);
    let status = tonic::Status::from_header_map(&headers).expect("it is still a status");
    assert_eq!(status.code(), Code::Aborted);
    assert!(sent(&status) <= MOST_SENT && status.message().starts_with('이') && headers.len() >= 3, "{headers:?}");
}

#[test]
fn internal_text_stays_inside() {
    let status = status(Error::internal("password of the database"));
    assert_eq!(status.message(), "internal error");
    assert!(!String::from_utf8_lossy(status.details()).contains("password"));
}
