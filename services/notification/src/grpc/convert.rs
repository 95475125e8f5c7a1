//! Fields of requests to what is looked for.

use contracts::tradewind::notification::v1::{ListNotificationsRequest, NotificationKind};
use tradewind_domain::{
    Error,
    request::{invalid_page_token, order_id, page_size, page_token},
};

/// Which messages are asked for. There is one of each kind, so a kind names the place where a page ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) order_id: String,
    pub(super) after: NotificationKind,
    /// The most to return; more than 0.
    pub(super) size: usize,
}

impl Page {
    pub(super) fn asked(request: &ListNotificationsRequest) -> Result<Self, Error> {
        let order_id = order_id(&request.order_id)?.to_string();
        let size = page_size(request.page_size)?;
        let after: i32 = page_token(&request.page_token)?.unwrap_or_default();
        let after = NotificationKind::try_from(after).map_err(|_| invalid_page_token())?;
        Ok(Self { order_id, after, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(order_id: &str, page_size: i32, page_token: &str) -> Result<Page, &'static str> {
        let (order_id, page_token) = (order_id.to_owned(), page_token.to_owned());
        Page::asked(&ListNotificationsRequest { order_id, page_size, page_token }).map_err(|error| error.reason)
    }

    #[test]
    fn requests_have_their_bounds() {
        let id = "0190163d-8694-739b-aea5-966c26f8ad91";
        let (order_id, after) = (id.to_owned(), NotificationKind::OrderConfirmed);
        assert_eq!(asked("0190163D8694739BAEA5966C26F8AD91", 0, "1"), Ok(Page { order_id, after, size: 100 }));
        assert_eq!(asked("7", 0, ""), Err("INVALID_ORDER_ID"));
        assert_eq!(asked(id, -1, ""), Err("PAGE_SIZE_OUT_OF_RANGE"));
        assert_eq!(asked(id, 1001, "").map(|page| page.size), Ok(1000));
        assert_eq!((asked(id, 1, "x"), asked(id, 1, "99")), (Err("INVALID_PAGE_TOKEN"), Err("INVALID_PAGE_TOKEN")));
    }
}
