//! The contract's RPC: decode, ask, encode.

use contracts::tradewind::notification::v1::{
    ListNotificationsRequest, ListNotificationsResponse, NotificationKind,
    notification_service_server::NotificationService,
};
use tonic::{Request, Response, Status};
use tradewind_domain::Error;
use tradewind_events::Store;
use tradewind_mesh::status;
use uuid::Uuid;

use crate::table;

const LARGEST_PAGE: usize = 1000;
const USUAL_PAGE: usize = 100;

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
        let mut notifications = table::page(self.store.reader(), &order_id, after, size + 1).await?;
        let more = notifications.len() > size;
        notifications.truncate(size);
        let next_page_token = match notifications.last() {
            Some(last) if more => last.kind.to_string(),
            _ => String::new(),
        };
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
        let order_id = Uuid::try_parse(&request.order_id)
            .map_err(|_| Error::invalid("order_id", "INVALID_ORDER_ID", "must be a UUID"))?;
        let size = match usize::try_from(request.page_size) {
            Ok(0) => USUAL_PAGE,
            Ok(size @ 1..=LARGEST_PAGE) => size,
            _ => return Err(Error::invalid("page_size", "PAGE_SIZE_OUT_OF_RANGE", "must be 0 to 1000")),
        };
        let after = match request.page_token.as_str() {
            "" => Some(NotificationKind::Unspecified),
            token => token.parse::<i32>().ok().and_then(|kind| NotificationKind::try_from(kind).ok()),
        };
        let after = after
            .ok_or_else(|| Error::invalid("page_token", "INVALID_PAGE_TOKEN", "not a token that a page before gave"))?;
        Ok(Self { order_id: order_id.to_string(), after, size })
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
