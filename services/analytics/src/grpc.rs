//! The service's calls: decode, ask the application, encode.

mod convert;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod sales;
pub(crate) mod sales_convert;

#[cfg(test)]
pub(crate) use convert::asked;

pub(crate) use sales::SalesApi;

use contracts::tradewind::analytics::v1::flow_service_server::FlowService;
use contracts::tradewind::analytics::v1::{ListStuckFlowsRequest, ListStuckFlowsResponse};
use tonic::{Request, Response, Status};
use tradewind_mesh::status;
use tradewind_store::Store;

use crate::app;

/// Answers the calls of `FlowService`.
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
impl FlowService for Api {
    async fn list_stuck_flows(
        &self,
        request: Request<ListStuckFlowsRequest>,
    ) -> Result<Response<ListStuckFlowsResponse>, Status> {
        let asked = convert::asked(request.get_ref()).map_err(status)?;
        app::list_stuck_flows(&self.store, asked).await.map(Response::new).map_err(status)
    }
}
