//! The service's calls: decode, ask the application, encode.

mod convert;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;

use contracts::tradewind::sample::v1::sample_service_server::SampleService;
use contracts::tradewind::sample::v1::{
    CreateItemRequest, CreateItemResponse, GetItemRequest, GetItemResponse, Item,
};
use tonic::{Request, Response, Status};
use tradewind_mesh::{keyed, status};
use tradewind_store::Store;

use crate::app;

/// Answers the calls of `SampleService`.
pub(crate) struct Api {
    store: Store,
}

impl Api {
    /// Answers from `store`.
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }
}

#[tonic::async_trait]
impl SampleService for Api {
    async fn create_item(
        &self,
        request: Request<CreateItemRequest>,
    ) -> Result<Response<CreateItemResponse>, Status> {
        let (request, key) = keyed(request)?;
        let key = key.map_err(status)?;
        let item = convert::new_item(request).map_err(status)?;
        app::create_item(&self.store, key.as_ref(), &item).await.map(Response::new).map_err(convert::refusal)
    }

    async fn get_item(&self, request: Request<GetItemRequest>) -> Result<Response<GetItemResponse>, Status> {
        let item_id = convert::item_id(request.into_inner().item_id).map_err(status)?;
        let found = app::get_item(&self.store, &item_id).await;
        found.map(Response::new).map_err(|error| convert::refusal(error.of::<Item>(&item_id)))
    }
}
