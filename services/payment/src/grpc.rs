//! The contract's RPCs: decode, ask, encode.

mod ledger;

use contracts::tradewind::payment::v1::{
    GetPaymentRequest, GetPaymentResponse, ListPaymentsRequest, ListPaymentsResponse,
    payment_service_server::PaymentService,
};
use tonic::{Request, Response, Status};
use tradewind_domain::request::{order_id, page_size, page_token};
use tradewind_mesh::status;
use tradewind_store::Store;

use crate::app;

pub(crate) use self::ledger::LedgerApi;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) use self::ledger::fuzzed;

/// Answers how payments stand.
pub(crate) struct Api {
    store: Store,
}

impl Api {
    /// Answers from `store`.
    #[must_use]
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }
}

#[tonic::async_trait]
impl PaymentService for Api {
    async fn get_payment(&self, request: Request<GetPaymentRequest>) -> Result<Response<GetPaymentResponse>, Status> {
        let order_id = order_id(&request.into_inner().order_id).map_err(status)?;
        let payment = app::get_payment(&self.store, order_id).await.map_err(status)?;
        Ok(Response::new(GetPaymentResponse { payment: Some(payment) }))
    }

    async fn list_payments(
        &self,
        request: Request<ListPaymentsRequest>,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        let request = request.into_inner();
        let size = page_size(request.page_size).map_err(status)?;
        let after = page_token(&request.page_token).map_err(status)?;
        app::list_payments(&self.store, after, size).await.map(Response::new).map_err(status)
    }
}
