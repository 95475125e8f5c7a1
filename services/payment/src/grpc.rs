//! The contract's RPCs: decode, ask, encode.

use contracts::tradewind::payment::v1::{
    GetPaymentRequest, GetPaymentResponse, ListPaymentsRequest, ListPaymentsResponse,
    payment_service_server::PaymentService,
};
use tonic::{Request, Response, Status};
use tradewind_domain::Error;
use tradewind_events::Store;
use tradewind_mesh::status;

use crate::app;
use crate::domain::OrderId;

const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 1_000;

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
        let (after, size) = page(&request.into_inner()).map_err(status)?;
        let (payments, next) = app::list_payments(&self.store, after, size).await.map_err(status)?;
        Ok(Response::new(ListPaymentsResponse { payments, next_page_token: next.unwrap_or_default() }))
    }
}

fn order_id(text: &str) -> Result<OrderId, Error> {
    text.parse().map_err(|_| Error::invalid("order_id", "INVALID_ORDER_ID", "not a UUID"))
}

/// Where the page starts and how long it may be.
fn page(request: &ListPaymentsRequest) -> Result<(Option<OrderId>, usize), Error> {
    let size = match usize::try_from(request.page_size) {
        Ok(0) => DEFAULT_PAGE,
        Ok(size) if size <= LARGEST_PAGE => size,
        _ => return Err(Error::invalid("page_size", "PAGE_SIZE_OUT_OF_RANGE", "must be 0 to 1000")),
    };
    let after =
        match request.page_token.as_str() {
            "" => None,
            token => Some(token.parse().map_err(|_| {
                Error::invalid("page_token", "INVALID_PAGE_TOKEN", "not a token that a page before gave")
            })?),
        };
    Ok((after, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(page_size: i32, page_token: &str) -> Result<(Option<OrderId>, usize), &'static str> {
        page(&ListPaymentsRequest { page_size, page_token: page_token.to_owned() }).map_err(|error| error.reason)
    }

    #[test]
    fn a_page_has_its_bounds() {
        assert_eq!(asked(0, ""), Ok((None, 100)));
        assert_eq!(asked(1_000, ""), Ok((None, 1_000)));
        assert_eq!(asked(1_001, ""), Err("PAGE_SIZE_OUT_OF_RANGE"));
        assert_eq!(asked(-1, ""), Err("PAGE_SIZE_OUT_OF_RANGE"));
        assert_eq!(asked(1, "somewhere"), Err("INVALID_PAGE_TOKEN"));
    }

    #[test]
    fn an_order_is_named_by_a_uuid() {
        assert_eq!(order_id("7").map_err(|error| error.reason), Err("INVALID_ORDER_ID"));
    }
}
