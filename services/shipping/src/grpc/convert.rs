//! Fields of requests to what the application takes.

use contracts::tradewind::shipping::v1::ListShipmentsRequest;
use tradewind_domain::Error;

use crate::domain::OrderId;

const LARGEST_PAGE: usize = 1000;
const USUAL_PAGE: usize = 100;

/// An order's id as it is asked for.
pub(crate) fn order_id(text: &str) -> Result<OrderId, Error> {
    text.parse().map_err(|_| Error::invalid("order_id", "INVALID_ORDER_ID", "must be a UUID"))
}

/// Where a page starts and how many shipments it may have.
pub(crate) fn page(request: &ListShipmentsRequest) -> Result<(Option<OrderId>, usize), Error> {
    let size = match usize::try_from(request.page_size) {
        Ok(0) => USUAL_PAGE,
        Ok(size @ 1..=LARGEST_PAGE) => size,
        _ => return Err(Error::invalid("page_size", "PAGE_SIZE_OUT_OF_RANGE", "must be 0 to 1000")),
    };
    let malformed = |_| Error::invalid("page_token", "INVALID_PAGE_TOKEN", "not a token that a page before gave");
    let token = Some(request.page_token.as_str()).filter(|token| !token.is_empty());
    Ok((token.map(str::parse).transpose().map_err(malformed)?, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(page_size: i32, page_token: &str) -> Result<(Option<OrderId>, usize), &'static str> {
        page(&ListShipmentsRequest { page_size, page_token: page_token.to_owned() }).map_err(|error| error.reason)
    }

    #[test]
    fn a_page_has_between_one_and_a_thousand_shipments() {
        assert_eq!((asked(0, ""), asked(1, ""), asked(1000, "")), (Ok((None, 100)), Ok((None, 1)), Ok((None, 1000))));
        assert_eq!((asked(1001, ""), asked(-1, "")), (Err("PAGE_SIZE_OUT_OF_RANGE"), Err("PAGE_SIZE_OUT_OF_RANGE")));
        assert_eq!(asked(1, "somewhere"), Err("INVALID_PAGE_TOKEN"));
    }

    #[test]
    fn an_order_is_named_by_a_uuid() {
        assert_eq!(order_id("7").map_err(|error| error.reason), Err("INVALID_ORDER_ID"));
        let id = order_id("0190163D8694739BAEA5966C26F8AD91").map(|id| id.to_string());
        assert_eq!(id, Ok("0190163d-8694-739b-aea5-966c26f8ad91".to_owned()));
    }
}
