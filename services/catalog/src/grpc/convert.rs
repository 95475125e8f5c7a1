//! Fields of requests to what the application takes.

use tradewind_domain::Error;

use crate::domain::is_product_id;

const LARGEST_PAGE: usize = 1000;
const USUAL_PAGE: usize = 100;

/// A product's id as it is asked for.
pub(crate) fn product_id(text: String) -> Result<String, Error> {
    if is_product_id(&text) {
        Ok(text)
    } else {
        let rule = "must be 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit";
        Err(Error::invalid("product_id", "INVALID_PRODUCT_ID", rule))
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

/// The product that a page token stands for; empty for the first page.
pub(crate) fn page_token(token: String) -> Result<String, Error> {
    if token.is_empty() || is_product_id(&token) {
        Ok(token)
    } else {
        Err(Error::invalid("page_token", "INVALID_PAGE_TOKEN", "not a token that a page before gave"))
    }
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
        let reason = |token: &str| page_token(token.to_owned()).map_err(|error| error.reason);
        assert_eq!((reason(""), reason("assam-1")), (Ok(String::new()), Ok("assam-1".to_owned())));
        assert_eq!(reason("ASSAM"), Err("INVALID_PAGE_TOKEN"));
    }
}
