//! The contract's RPCs: decode, ask, encode.

mod convert;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;
mod webhooks;

use contracts::tradewind::notification::v1::{
    ListNotificationsRequest, ListNotificationsResponse, notification_service_server::NotificationService,
};
use tonic::{Request, Response, Status};
use tradewind_domain::{Error, request};
use tradewind_mesh::status;
use tradewind_store::Store;

use self::convert::Page;
pub(crate) use self::webhooks::WebhookApi;
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
        let found = table::page(&self.store, &order_id, after, size + 1).await?;
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
