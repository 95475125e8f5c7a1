//! The calls about movements: decode, ask, encode.

pub(super) mod convert;

use contracts::tradewind::inventory::v1::movement_service_server::MovementService;
use contracts::tradewind::inventory::v1::{
    AuditStockRequest, AuditStockResponse, ListStockDifferencesRequest, ListStockDifferencesResponse,
    ListStockMovementsRequest, ListStockMovementsResponse, ResolveStockDifferenceRequest,
    ResolveStockDifferenceResponse,
};
use tonic::{Request, Response, Status};
use tradewind_mesh::{keyed, status};
use tradewind_store::Store;

use super::{answer, there};
use crate::app;

/// Answers what stock has done.
pub(crate) struct Movements {
    store: Store,
}

impl Movements {
    /// Answers from `store`.
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }
}

#[tonic::async_trait]
impl MovementService for Movements {
    async fn list_stock_movements(
        &self,
        request: Request<ListStockMovementsRequest>,
    ) -> Result<Response<ListStockMovementsResponse>, Status> {
        let (wanted, after, size) = convert::movements(request.into_inner()).map_err(status)?;
        answer(app::list_stock_movements(&self.store, &wanted, after, size).await)
    }

    async fn audit_stock(&self, request: Request<AuditStockRequest>) -> Result<Response<AuditStockResponse>, Status> {
        let request = request.into_inner();
        let (of, after, size) = convert::audit(&request).map_err(status)?;
        answer(app::audit_stock(&self.store, &of, after, size).await)
    }

    async fn list_stock_differences(
        &self,
        request: Request<ListStockDifferencesRequest>,
    ) -> Result<Response<ListStockDifferencesResponse>, Status> {
        let (state, after, size) = convert::differences(request.get_ref()).map_err(status)?;
        answer(app::list_stock_differences(&self.store, state, after, size).await)
    }

    async fn resolve_stock_difference(
        &self,
        request: Request<ResolveStockDifferenceRequest>,
    ) -> Result<Response<ResolveStockDifferenceResponse>, Status> {
        let (request, key) = keyed(request)?;
        let key = there(key).map_err(status)?;
        let resolving = convert::resolving(request).map_err(status)?;
        answer(app::resolve_stock_difference(&self.store, &key, &resolving).await)
    }
}
