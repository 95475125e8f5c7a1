//! The calls about sales: decode, ask the application, encode.

use contracts::tradewind::analytics::v1::sales_service_server::SalesService;
use contracts::tradewind::analytics::v1::{
    ForecastStockRequest, ForecastStockResponse, GetFunnelRequest, GetFunnelResponse, GetStepTimesRequest,
    GetStepTimesResponse, ListSalesRequest, ListSalesResponse,
};
use tonic::{Request, Response, Status};
use tradewind_mesh::status;
use tradewind_store::Store;

use super::sales_convert as convert;
use crate::app;
use crate::domain::day_of;

/// Answers the calls of `SalesService`.
pub(crate) struct SalesApi {
    store: Store,
}

impl SalesApi {
    /// Answers from `store`.
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    fn today(&self) -> i64 {
        day_of(self.store.now())
    }
}

#[tonic::async_trait]
impl SalesService for SalesApi {
    async fn list_sales(&self, request: Request<ListSalesRequest>) -> Result<Response<ListSalesResponse>, Status> {
        let asked = convert::sales(request.get_ref(), self.today()).map_err(status)?;
        app::list_sales(&self.store, asked).await.map(Response::new).map_err(status)
    }

    async fn get_funnel(&self, request: Request<GetFunnelRequest>) -> Result<Response<GetFunnelResponse>, Status> {
        let GetFunnelRequest { from_day, to_day, after } = request.into_inner();
        let asked = convert::days(&from_day, &to_day, after, self.today()).map_err(status)?;
        app::get_funnel(&self.store, asked).await.map(Response::new).map_err(status)
    }

    async fn get_step_times(
        &self,
        request: Request<GetStepTimesRequest>,
    ) -> Result<Response<GetStepTimesResponse>, Status> {
        let GetStepTimesRequest { from_day, to_day, after } = request.into_inner();
        let asked = convert::days(&from_day, &to_day, after, self.today()).map_err(status)?;
        app::get_step_times(&self.store, asked).await.map(Response::new).map_err(status)
    }

    async fn forecast_stock(
        &self,
        request: Request<ForecastStockRequest>,
    ) -> Result<Response<ForecastStockResponse>, Status> {
        let asked = convert::forecast(request.get_ref()).map_err(status)?;
        app::forecast_stock(&self.store, asked).await.map(Response::new).map_err(status)
    }
}
