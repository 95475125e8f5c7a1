//! Fields of requests to what the application takes.

use contracts::tradewind::inventory::v1::ReceiveStockRequest;
use tradewind_domain::{
    Error,
    request::{SKU_RULE, invalid_page_token, is_sku},
};

use crate::domain::{Receipt, parse_level_id};

/// What a request says arrived.
pub(crate) fn receipt(request: ReceiveStockRequest) -> Result<Receipt, Error> {
    let ReceiveStockRequest { sku, location, quantity, .. } = request;
    Receipt::new(sku, location, quantity)
}

/// A SKU as it is asked for.
pub(crate) fn sku(text: String) -> Result<String, Error> {
    if is_sku(&text) { Ok(text) } else { Err(Error::invalid("sku", "INVALID_SKU", SKU_RULE)) }
}

/// The level that a page token stands for; none for the first page.
pub(crate) fn level_token(token: &str) -> Result<Option<(&str, &str)>, Error> {
    match parse_level_id(token) {
        _ if token.is_empty() => Ok(None),
        Some(level) => Ok(Some(level)),
        None => Err(invalid_page_token()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_a_page_gave_or_nothing() {
        let level = |token| level_token(token).map_err(|error| error.reason);
        assert_eq!((level(""), level("A@B@hull")), (Ok(None), Ok(Some(("A@B", "hull")))));
        assert_eq!((level("hull"), level("A@HULL")), (Err("INVALID_PAGE_TOKEN"), Err("INVALID_PAGE_TOKEN")));
    }
}
