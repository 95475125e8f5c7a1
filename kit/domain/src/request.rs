//! Fields of requests that more than one context reads, and everything that can be wrong with one request.

mod key;
mod violations;

use std::str::FromStr;

use prost::Message;

pub use key::RequestKey;
pub use violations::Violations;

use crate::{Error, OrderId};

const USUAL_PAGE: usize = 100;
const LARGEST_PAGE: usize = 1000;

/// The most bytes that the items of a page have together, so that the whole answer stays below 2 MB. One item that has more is a
/// page of its own.
pub const PAGE_BYTES: usize = 1_950_000;
/// What an item takes besides itself.
const AROUND: usize = 5;

/// What [`is_sku`] asks for, for people.
pub const SKU_RULE: &str = "must be 1 to 63 printable ASCII characters without spaces";

/// Tells whether `text` can name what is sold and stocked.
#[must_use]
pub fn is_sku(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The order that the field `order_id` names.
///
/// # Errors
/// `INVALID_ORDER_ID` for anything but a UUID.
pub fn order_id(text: &str) -> Result<OrderId, Error> {
    text.parse().map_err(|_| Error::invalid("order_id", "INVALID_ORDER_ID", "must be a UUID"))
}

/// How many items the page of a list may have: as many as the field `page_size` says, 100 where it says 0, and 1000 where it says
/// more, as AIP-158 has it.
///
/// # Errors
/// `PAGE_SIZE_OUT_OF_RANGE` for less than 0.
pub fn page_size(asked: i32) -> Result<usize, Error> {
    match usize::try_from(asked) {
        Ok(0) => Ok(USUAL_PAGE),
        Ok(size) => Ok(size.min(LARGEST_PAGE)),
        Err(_) => Err(Error::invalid("page_size", "PAGE_SIZE_OUT_OF_RANGE", "must not be less than 0")),
    }
}

/// The last item of the page before, which the field `page_token` names; none where it is empty.
///
/// # Errors
/// `INVALID_PAGE_TOKEN` for a token that no page gave.
pub fn page_token<T: FromStr>(token: &str) -> Result<Option<T>, Error> {
    if token.is_empty() { Ok(None) } else { token.parse().map(Some).map_err(|_| invalid_page_token()) }
}

/// What [`page_token`] says of a token that no page gave.
#[must_use]
pub fn invalid_page_token() -> Error {
    Error::invalid("page_token", "INVALID_PAGE_TOKEN", "not a token that a page before gave")
}

/// Cuts `found`, of which one more than `size` was looked for, to a page of so many items and [`PAGE_BYTES`], and returns it with
/// the token of the next: `token` of the last item, or empty where nothing follows.
pub fn page<T: Message>(mut found: Vec<T>, size: usize, token: impl FnOnce(&T) -> String) -> (Vec<T>, String) {
    let fit = fit(&found).min(size);
    let more = found.len() > fit;
    found.truncate(fit);
    let next = found.last().filter(|_| more).map(token).unwrap_or_default();
    (found, next)
}

/// How many of the first items have [`PAGE_BYTES`] together at most; the first always does.
pub fn fit<T: Message>(items: &[T]) -> usize {
    let mut bytes = 0;
    let fits = |item: &&T| {
        let first = bytes == 0;
        bytes += item.encoded_len() + AROUND;
        first || bytes <= PAGE_BYTES
    };
    items.iter().take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_between_one_and_a_thousand_items() {
        let reason = |asked| page_size(asked).map_err(|error| error.reason);
        for (asked, has) in [(0, 100), (1, 1), (1000, 1000), (1001, 1000), (i32::MAX, 1000)] {
            assert_eq!(reason(asked), Ok(has), "{asked}");
        }
        for asked in [-1, i32::MIN] {
            assert_eq!(reason(asked), Err("PAGE_SIZE_OUT_OF_RANGE"), "{asked}");
        }
    }

    #[test]
    fn a_page_names_the_next_only_where_there_is_one() {
        let cut = |found: &[u32]| page(found.to_vec(), 2, u32::to_string);
        assert_eq!(cut(&[1, 2, 3]), (vec![1, 2], "2".to_owned()));
        assert_eq!(cut(&[1, 2]), (vec![1, 2], String::new()));
        assert_eq!(cut(&[]), (vec![], String::new()));
    }

    #[test]
    fn a_page_is_cut_by_its_bytes_and_never_empty() {
        let cut = |sizes: &[usize]| {
            let (found, next) =
                page(sizes.iter().map(|size| "x".repeat(*size)).collect(), 10, |last| last.len().to_string());
            (found.len(), next)
        };
        assert_eq!(cut(&[1_000_000, 900_000, 1]), (3, String::new()));
        assert_eq!(cut(&[1_000_000, 900_000, 50_000, 7]), (2, "900000".to_owned()));
        assert_eq!(cut(&[5_000_000, 1]), (1, "5000000".to_owned()));
        assert_eq!(cut(&[5_000_000]), (1, String::new()));
        assert_eq!(cut(&[1; 11]), (10, "1".to_owned()));
    }

    #[test]
    fn a_token_is_what_a_page_gave_or_nothing() {
        let read = |token| page_token::<u8>(token).map_err(|error| error.reason);
        assert_eq!((read(""), read("7"), read("x")), (Ok(None), Ok(Some(7)), Err("INVALID_PAGE_TOKEN")));
    }

    #[test]
    fn an_order_id_has_one_form() {
        let read = |text| order_id(text).map(|id| id.to_string()).map_err(|error| error.reason);
        let id = "0190163d-8694-739b-aea5-966c26f8ad91";
        assert_eq!((read(id), read("0190163D8694739BAEA5966C26F8AD91")), (Ok(id.to_owned()), Ok(id.to_owned())));
        assert_eq!((read("7"), read("")), (Err("INVALID_ORDER_ID"), Err("INVALID_ORDER_ID")));
    }

    #[test]
    fn a_sku_is_printable_and_short() {
        assert!(is_sku("A") && is_sku("TEA/1@x") && is_sku(&"X".repeat(63)));
        assert!(!is_sku("") && !is_sku("A B") && !is_sku("TÉ") && !is_sku(&"X".repeat(64)));
    }
}
