//! Fields of requests to what the application takes.

use tradewind_domain::{Error, request::invalid_page_token};

use crate::domain::is_product_id;

/// A product's id as it is asked for.
pub(crate) fn product_id(text: String) -> Result<String, Error> {
    if is_product_id(&text) {
        Ok(text)
    } else {
        let rule = "must be 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit";
        Err(Error::invalid("product_id", "INVALID_PRODUCT_ID", rule))
    }
}

/// The product that a page token stands for; empty for the first page.
pub(crate) fn page_token(token: String) -> Result<String, Error> {
    if token.is_empty() || is_product_id(&token) { Ok(token) } else { Err(invalid_page_token()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_a_page_gave_or_nothing() {
        let reason = |token: &str| page_token(token.to_owned()).map_err(|error| error.reason);
        assert_eq!((reason(""), reason("assam-1")), (Ok(String::new()), Ok("assam-1".to_owned())));
        assert_eq!(reason("ASSAM"), Err("INVALID_PAGE_TOKEN"));
    }
}
