//! The contract's RPC: decode, ask, encode.

use contracts::tradewind::notification::v1::{
    ListNotificationsRequest, ListNotificationsResponse, NotificationKind,
    notification_service_server::NotificationService,
};
use tonic::{Request, Response, Status};
use tradewind_domain::Error;
use tradewind_domain::request::{self, invalid_page_token, order_id, page_size, page_token};
use tradewind_mesh::status;
use tradewind_store::Store;

use crate::table;

/// Answers the calls of `NotificationService`.
pub(crate) struct Api {
    store: Store,
}

impl Api {
    /// Answers from `store`.
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    async fn list(&self, page: Page) -> Result<ListNotificationsResponse, Error> {
        let Page { order_id, after, size } = page;
        let found = table::page(self.store.reader(), &order_id, after, size + 1).await?;
        let (notifications, next_page_token) = request::page(found, size, |last| last.kind.to_string());
        Ok(ListNotificationsResponse { notifications, next_page_token })
    }
}

#[tonic::async_trait]
impl NotificationService for Api {
    async fn list_notifications(
        &self,
        request: Request<ListNotificationsRequest>,
    ) -> Result<Response<ListNotificationsResponse>, Status> {
        let page = Page::asked(&request.into_inner()).map_err(status)?;
        self.list(page).await.map(Response::new).map_err(status)
    }
}

/// Which messages are asked for. There is one of each kind, so a kind names the place where a page ends.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    order_id: String,
    after: NotificationKind,
    size: usize,
}

impl Page {
    fn asked(request: &ListNotificationsRequest) -> Result<Self, Error> {
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
        assert_eq!(
            (asked(id, -1, ""), asked(id, 1001, "")),
            (Err("PAGE_SIZE_OUT_OF_RANGE"), Err("PAGE_SIZE_OUT_OF_RANGE"))
        );
        assert_eq!((asked(id, 1, "x"), asked(id, 1, "9")), (Err("INVALID_PAGE_TOKEN"), Err("INVALID_PAGE_TOKEN")));
    }
}
