//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use crate::request::{is_sku, page_token};
use crate::{
    Country, Currency, Money, OrderId, Origin, Reason, Reference, is_printable, is_text, is_text_of_lines, printable,
    printable_json, sendable,
};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("values", values)];

/// Whatever is made of a text.
fn values(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(id) = text.parse::<OrderId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(page_token(text), Ok(Some(id)));
    }
    if let Some(address) = sendable(text) {
        assert_eq!(sendable(&address), Some(address.clone()), "what is sent to is an address itself");
        assert!(address.is_ascii());
    }
    if let Some(reason) = Reason::read(text) {
        assert_eq!((reason.as_str(), Reason::told(text)), (text, reason.clone()));
    }
    if let Some(reference) = Reference::read(text) {
        assert_eq!(reference.as_str(), text);
    }
    assert!(is_printable(&printable(text)) && is_printable(&printable_json(text).replace('\n', "")));
    let origin = Origin::told(text);
    assert_eq!(Origin::told(&origin.to_string()), origin);
    assert!(!is_text(text) || is_text_of_lines(text));
    let _ = is_sku(text);
    assert!(Country::parse(text).is_none() || text.len() == 2);
    amounts(text);
}

/// `GBP-12`: a currency and an amount.
fn amounts(text: &str) {
    let Some((code, minor)) = text.split_at_checked(3) else { return };
    let (Ok(currency), Ok(minor)) = (Currency::parse(code), minor.parse::<i64>()) else { return };
    assert_eq!(currency.code(), code);
    let money = Money::of(currency, minor);
    assert!(money.to_string().starts_with(code));
    let twice = money.checked_add(money);
    assert_eq!(twice, money.checked_mul(2));
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
