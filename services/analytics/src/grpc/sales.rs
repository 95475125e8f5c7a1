//! The calls about sales: decode, ask the application, encode.

use contracts::tradewind::analytics::v1::sales_service_server::SalesService;
use contracts::tradewind::analytics::v1::{
    ForecastStockRequest, ForecastStockResponse, GetFunnelRequest, GetFunnelResponse, GetStepTimesRequest,
    GetStepTimesResponse, ListSalesRequest, ListSalesResponse,
};
use tonic::{Request, Response, Status};
use tradewind_mesh::status;

use super::sales_convert as convert;
use crate::app::{self, Sales};
use crate::domain::day_of;

/// Answers the calls of `SalesService`.
pub(crate) struct SalesApi {
    kept: Sales,
}

impl SalesApi {
    /// Answers from where sales are kept.
    pub(crate) const fn new(kept: Sales) -> Self {
        Self { kept }
    }

    fn today(&self) -> i64 {
        day_of(self.kept.store().now())
    }
}

#[tonic::async_trait]
impl SalesService for SalesApi {
    async fn list_sales(&self, request: Request<ListSalesRequest>) -> Result<Response<ListSalesResponse>, Status> {
        let asked = convert::sales(request.get_ref(), self.today()).map_err(status)?;
        app::list_sales(&self.kept, asked).await.map(Response::new).map_err(status)
    }

    async fn get_funnel(&self, request: Request<GetFunnelRequest>) -> Result<Response<GetFunnelResponse>, Status> {
        let GetFunnelRequest { from_day, to_day, after } = request.into_inner();
        let asked = convert::days(&from_day, &to_day, after, self.today()).map_err(status)?;
        app::get_funnel(&self.kept, asked).await.map(Response::new).map_err(status)
    }

    async fn get_step_times(
        &self,
        request: Request<GetStepTimesRequest>,
    ) -> Result<Response<GetStepTimesResponse>, Status> {
        let GetStepTimesRequest { from_day, to_day, after } = request.into_inner();
        let asked = convert::days(&from_day, &to_day, after, self.today()).map_err(status)?;
        app::get_step_times(&self.kept, asked).await.map(Response::new).map_err(status)
    }

    async fn forecast_stock(
        &self,
        request: Request<ForecastStockRequest>,
    ) -> Result<Response<ForecastStockResponse>, Status> {
        let asked = convert::forecast(request.get_ref()).map_err(status)?;
        app::forecast_stock(&self.kept, asked).await.map(Response::new).map_err(status)
    }
}
