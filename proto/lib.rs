//! The contracts of Tradewind: every message, client and server generated from `proto/`, and what their options say as types and
//! tables. Services meet here and nowhere else; no behaviour belongs here.

#![allow(missing_docs, rustdoc::invalid_html_tags, rustdoc::broken_intra_doc_links, rustdoc::bare_urls)]

#[cfg(test)]
#[path = "../build/mod.rs"]
mod build;
pub mod reactions;
#[cfg(test)]
mod refused;
mod shown;
pub mod tables;

pub use shown::shown;
pub use tables::{CONTRACT, Contract};

include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
include!(concat!(env!("OUT_DIR"), "/redacted.rs"));
include!(concat!(env!("OUT_DIR"), "/asked.rs"));

/// A request that may be repeated under its `request_id`.
pub trait Repeatable: prost::Message + Sized {
    /// The caller's name for it; empty where it is not to be repeated.
    fn request_id(&self) -> &str;
    /// What makes it the request that it is: a repetition may differ in the rest.
    #[must_use]
    fn asked(&self) -> Self;
}

/// The encoded `FileDescriptorSet` of all contracts, with custom options and comments.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::Repeatable;
    use crate::tables::{EVENTS, METHODS, Owner};
    use crate::tradewind::options::v1::{Audience, Criticality, RetryClass};
    use crate::tradewind::ordering::v1::{Address, PlaceOrderRequest, Recipient};

    #[test]
    fn what_a_method_does_not_say_stands_in_the_table_as_what_it_means() {
        let method = |path: &str| METHODS.iter().find(|method| method.path == path).unwrap();
        let place = method("/tradewind.ordering.v1.OrderingService/PlaceOrder");
        assert_eq!((place.callers, place.timeout), (&["gateway", "operator"][..], Duration::from_secs(5)));
        let said = (place.audience, place.criticality, place.retry);
        assert_eq!(said, (Audience::Customer, Criticality::Critical, RetryClass::WithRequestId));
        assert_eq!(place.owner, Some(Owner { tag: 2, field: "customer_id", is_object: false }));
        let cancel = method("/tradewind.ordering.v1.OrderingService/CancelOrder").owner;
        assert_eq!(cancel, Some(Owner { tag: 1, field: "order_id", is_object: true }));
        let read = method("/tradewind.eventlog.v1.EventLogService/ReadLog");
        let meant = (read.audience, read.criticality, read.retry);
        assert_eq!(meant, (Audience::Internal, Criticality::Default, RetryClass::Safe));
    }

    /// Requests are kept under the names alone.
    #[test]
    fn no_two_methods_of_a_context_that_may_be_repeated_under_an_id_share_a_name() {
        let repeatable = METHODS.iter().filter(|method| method.retry == RetryClass::WithRequestId);
        let names = repeatable.map(|method| (method.path.split('.').nth(1), method.path.rsplit('/').next()));
        let names: Vec<_> = names.collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert!(names.len() >= 5 && distinct.len() == names.len(), "{names:?}");
    }

    #[test]
    fn an_event_names_what_must_follow_it_and_when() {
        let placed = EVENTS.iter().find(|event| event.name == "tradewind.ordering.v1.OrderPlaced").unwrap();
        assert_eq!((placed.owner, placed.aggregate), ("ordering", "order"));
        assert!(
            placed.any_of.contains(&"tradewind.ordering.v1.OrderStockConfirmed") && placed.within.is_some(),
            "{placed:?}"
        );
    }

    #[test]
    fn what_a_request_asks_is_all_but_what_it_waits_for() {
        let request = PlaceOrderRequest { customer_id: "c-1".to_owned(), ..PlaceOrderRequest::default() };
        let waits = PlaceOrderRequest { after: vec!["catalog:0190163d8694739b:0:1".to_owned()], ..request.clone() };
        assert_eq!((waits.asked(), request.asked()), (request.clone(), request));
    }

    #[test]
    fn debug_never_shows_a_sensitive_field() {
        let request = PlaceOrderRequest {
            customer_id: "c-1".to_owned(),
            payment_token: "tok_ok".to_owned(),
            recipient: Some(Recipient {
                name: "Ada".to_owned(),
                email: "ada@example.org".to_owned(),
                address: Some(Address { line1: "1 Quay".to_owned(), ..Address::default() }),
            }),
            ..PlaceOrderRequest::default()
        };
        let text = format!("{request:?}");
        assert!(text.contains("c-1") && text.contains("[redacted]"), "{text}");
        assert!(!text.contains("tok_ok") && !text.contains("Ada") && !text.contains("Quay"), "{text}");
    }
}
