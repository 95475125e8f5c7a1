//! The service's calls: decode, ask the application, encode.

mod convert;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod movements;

use contracts::tradewind::inventory::v1::inventory_service_server::InventoryService;
use contracts::tradewind::inventory::v1::{
    CorrectStockRequest, CorrectStockResponse, GetReservationRequest, GetReservationResponse, GetStockRequest,
    GetStockResponse, ListOpenReservationsRequest, ListOpenReservationsResponse, ListStockRequest, ListStockResponse,
    ReceiveStockRequest, ReceiveStockResponse,
};
use tonic::{Request, Response, Status};
use tradewind_domain::{
    Error, OrderId,
    request::{RequestKey, order_id, page_size, page_token},
};
use tradewind_mesh::{keyed, status};
use tradewind_store::Store;

pub(crate) use self::movements::Movements;
use crate::app;

/// Answers the calls of `InventoryService`.
pub(crate) struct Inventory {
    store: Store,
}

impl Inventory {
    /// Answers from `store`.
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }
}

#[tonic::async_trait]
impl InventoryService for Inventory {
    async fn receive_stock(
        &self,
        request: Request<ReceiveStockRequest>,
    ) -> Result<Response<ReceiveStockResponse>, Status> {
        let (request, key) = keyed(request)?;
        let key = key.map_err(status)?;
        let receipt = convert::receipt(request).map_err(status)?;
        answer(app::receive_stock(&self.store, key.as_ref(), &receipt).await)
    }

    async fn correct_stock(
        &self,
        request: Request<CorrectStockRequest>,
    ) -> Result<Response<CorrectStockResponse>, Status> {
        let (request, key) = keyed(request)?;
        let key = there(key).map_err(status)?;
        let correction = convert::correction(request).map_err(status)?;
        app::correct_stock(&self.store, &key, &correction).await.map(Response::new).map_err(status)
    }

    async fn get_stock(&self, request: Request<GetStockRequest>) -> Result<Response<GetStockResponse>, Status> {
        let sku = convert::sku(request.into_inner().sku).map_err(status)?;
        answer(app::get_stock(&self.store, &sku).await)
    }

    async fn list_stock(&self, request: Request<ListStockRequest>) -> Result<Response<ListStockResponse>, Status> {
        let ListStockRequest { page_size: size, page_token: token } = request.into_inner();
        let size = page_size(size).map_err(status)?;
        let after = convert::level_token(&token).map_err(status)?;
        answer(app::list_stock(&self.store, after, size).await)
    }

    async fn get_reservation(
        &self,
        request: Request<GetReservationRequest>,
    ) -> Result<Response<GetReservationResponse>, Status> {
        let order_id = order_id(&request.into_inner().order_id).map_err(status)?;
        answer(app::get_reservation(&self.store, &order_id.to_string()).await)
    }

    async fn list_open_reservations(
        &self,
        request: Request<ListOpenReservationsRequest>,
    ) -> Result<Response<ListOpenReservationsResponse>, Status> {
        let ListOpenReservationsRequest { page_size: size, page_token: token } = request.into_inner();
        let size = page_size(size).map_err(status)?;
        let after: Option<OrderId> = page_token(&token).map_err(status)?;
        let after = after.map(|order| order.to_string()).unwrap_or_default();
        answer(app::list_open_reservations(&self.store, &after, size).await)
    }
}

/// The key of a request that has to have an id.
fn there(key: Result<Option<RequestKey>, Error>) -> Result<RequestKey, Error> {
    key?.ok_or_else(|| Error::internal("a request that has to have an id has none"))
}

fn answer<T>(outcome: Result<T, Error>) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(convert::refusal)
}
