//! Fields of requests to what the application takes.

use tradewind_domain::Error;
use uuid::Uuid;

use crate::domain::{is_sku, parse_level_id};

const LARGEST_PAGE: usize = 1000;
const USUAL_PAGE: usize = 100;

/// A SKU as it is asked for.
pub(crate) fn sku(text: String) -> Result<String, Error> {
    if is_sku(&text) {
        Ok(text)
    } else {
        Err(Error::invalid("sku", "INVALID_SKU", "must be 1 to 63 printable ASCII characters without spaces"))
    }
}

/// An order's id in the form in which it names streams.
pub(crate) fn order_id(text: &str) -> Result<String, Error> {
    match Uuid::try_parse(text) {
        Ok(id) => Ok(id.to_string()),
        Err(_) => Err(Error::invalid("order_id", "INVALID_ORDER_ID", "must be a UUID")),
    }
}

/// How many items a page may have.
pub(crate) fn page_size(asked: i32) -> Result<usize, Error> {
    match usize::try_from(asked) {
        Ok(0) => Ok(USUAL_PAGE),
        Ok(size @ 1..=LARGEST_PAGE) => Ok(size),
        _ => Err(Error::invalid("page_size", "PAGE_SIZE_OUT_OF_RANGE", "must be 0 to 1000")),
    }
}

/// The level that a page token stands for; none for the first page.
pub(crate) fn level_token(token: &str) -> Result<Option<(&str, &str)>, Error> {
    match parse_level_id(token) {
        _ if token.is_empty() => Ok(None),
        Some(level) => Ok(Some(level)),
        None => Err(malformed_token()),
    }
}

/// The order that a page token stands for; empty for the first page.
pub(crate) fn order_token(token: &str) -> Result<String, Error> {
    if token.is_empty() { Ok(String::new()) } else { order_id(token).map_err(|_| malformed_token()) }
}

fn malformed_token() -> Error {
    Error::invalid("page_token", "INVALID_PAGE_TOKEN", "not a token that a page before gave")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_between_one_and_a_thousand_items() {
        let reason = |asked| page_size(asked).map_err(|error| error.reason);
        assert_eq!((reason(0), reason(1), reason(1000)), (Ok(100), Ok(1), Ok(1000)));
        for asked in [-1, 1001, i32::MIN, i32::MAX] {
            assert_eq!(reason(asked), Err("PAGE_SIZE_OUT_OF_RANGE"), "{asked}");
        }
    }

    #[test]
    fn a_token_is_what_a_page_gave_or_nothing() {
        let level = |token| level_token(token).map_err(|error| error.reason);
        assert_eq!((level(""), level("A@B@hull")), (Ok(None), Ok(Some(("A@B", "hull")))));
        assert_eq!((level("hull"), level("A@HULL")), (Err("INVALID_PAGE_TOKEN"), Err("INVALID_PAGE_TOKEN")));
        assert_eq!(order_token("x").map_err(|error| error.reason), Err("INVALID_PAGE_TOKEN"));
    }

    #[test]
    fn an_order_id_has_one_form() {
        let id = "0190163D8694739BAEA5966C26F8AD91";
        assert_eq!(order_id(id), Ok("0190163d-8694-739b-aea5-966c26f8ad91".to_owned()));
        assert_eq!(order_id("1").map_err(|error| error.reason), Err("INVALID_ORDER_ID"));
    }
}
