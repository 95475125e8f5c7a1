//! The contracts of Tradewind: every message, client and server generated from `proto/`, and what their options say as types and
//! tables. Services meet here and nowhere else; no behaviour belongs here.

#![allow(missing_docs, rustdoc::invalid_html_tags, rustdoc::broken_intra_doc_links, rustdoc::bare_urls)]

pub mod reactions;

include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
include!(concat!(env!("OUT_DIR"), "/redacted.rs"));
include!(concat!(env!("OUT_DIR"), "/asked.rs"));

/// The encoded `FileDescriptorSet` of all contracts, with custom options and comments.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

#[cfg(test)]
mod tests {
    use crate::tradewind::ordering::v1::{Address, PlaceOrderRequest, Recipient};

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
