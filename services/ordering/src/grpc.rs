//! The order service over gRPC: decode, call the application, encode.

mod convert;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;

use std::{pin::Pin, time::Duration};

use contracts::tradewind::ordering::v1::{
    CancelOrderRequest, CancelOrderResponse, EraseCustomerRequest, EraseCustomerResponse, GetOrderHistoryRequest,
    GetOrderHistoryResponse, GetOrderRequest, GetOrderResponse, ListOrderEventsRequest, ListOrderEventsResponse,
    ListOrdersRequest, ListOrdersResponse, Order, PlaceOrderRequest, PlaceOrderResponse, WatchOrderRequest,
    WatchOrderResponse, ordering_service_server::OrderingService,
};
use futures::{Stream, StreamExt};
use tonic::{Request, Response, Status};
use tradewind_domain::{Error, OrderId, request::order_id};
use tradewind_mesh::{deadline, keyed};
use tradewind_store::Store;

use crate::{
    app::{self, Offers, OrderChanges},
    domain::OrderError,
};

/// Serves orders.
pub(crate) struct Orders {
    store: Store,
    changes: OrderChanges,
    offers: Offers,
    /// How long an order may take to be confirmed when the request does not say.
    order_deadline: Duration,
}

impl Orders {
    /// Serves those in `store`.
    pub(crate) fn new(store: Store, changes: OrderChanges, order_deadline: Duration) -> Self {
        Self { offers: Offers::of(&store), store, changes, order_deadline }
    }
}

/// Whose an order is; nobody's where there is none.
pub(crate) async fn owner(store: Store, order: String) -> Result<Option<String>, Status> {
    let id = order_id(&order).map_err(convert::refusal)?;
    app::owner(&store, id).await.map_err(convert::refusal)
}

/// What is said of an order that is not there, by its id as it is asked for.
pub(crate) fn missing(order: &str) -> Status {
    order_id(order).map_or_else(convert::refusal, |id| convert::refusal(about(id)(OrderError::NotFound.into())))
}

/// Says of which order a refusal is.
fn about(id: OrderId) -> impl FnOnce(Error) -> Error {
    move |error| error.of::<Order>(id.to_string())
}

#[tonic::async_trait]
impl OrderingService for Orders {
    type WatchOrderStream = Pin<Box<dyn Stream<Item = Result<WatchOrderResponse, Status>> + Send>>;

    async fn place_order(&self, request: Request<PlaceOrderRequest>) -> Result<Response<PlaceOrderResponse>, Status> {
        let (request, key) = keyed(request)?;
        let order = convert::place_order(request, key, self.order_deadline).map_err(convert::refusal)?;
        let placed = app::place_order(&self.store, &self.offers, order, deadline::current()).await;
        placed.map(Response::new).map_err(convert::refusal)
    }

    async fn get_order(&self, request: Request<GetOrderRequest>) -> Result<Response<GetOrderResponse>, Status> {
        let (id, point) = convert::get_order(&request.into_inner()).map_err(convert::refusal)?;
        let order = app::get_order(&self.store, id, point).await.map_err(about(id)).map_err(convert::refusal)?;
        Ok(Response::new(GetOrderResponse { order: Some(order) }))
    }

    async fn list_orders(&self, request: Request<ListOrdersRequest>) -> Result<Response<ListOrdersResponse>, Status> {
        let page = convert::list_orders(request.into_inner(), self.store.incarnation()).map_err(convert::refusal)?;
        app::list_orders(&self.store, page).await.map(Response::new).map_err(convert::refusal)
    }

    async fn watch_order(
        &self,
        request: Request<WatchOrderRequest>,
    ) -> Result<Response<Self::WatchOrderStream>, Status> {
        let id = order_id(&request.into_inner().order_id).map_err(convert::refusal)?;
        let orders = app::watch_order(self.store.clone(), &self.changes, id).await;
        let orders = orders.map_err(about(id)).map_err(convert::refusal)?;
        let responses =
            orders.map(|order| order.map(|order| WatchOrderResponse { order: Some(order) }).map_err(convert::refusal));
        Ok(Response::new(Box::pin(responses)))
    }

    async fn cancel_order(
        &self,
        request: Request<CancelOrderRequest>,
    ) -> Result<Response<CancelOrderResponse>, Status> {
        let id = order_id(&request.into_inner().order_id).map_err(convert::refusal)?;
        let order = app::cancel_order(&self.store, id).await.map_err(about(id)).map_err(convert::refusal)?;
        Ok(Response::new(CancelOrderResponse { order: Some(order) }))
    }

    async fn get_order_history(
        &self,
        request: Request<GetOrderHistoryRequest>,
    ) -> Result<Response<GetOrderHistoryResponse>, Status> {
        let id = order_id(&request.into_inner().order_id).map_err(convert::refusal)?;
        let entries = app::get_order_history(&self.store, id).await.map_err(about(id)).map_err(convert::refusal)?;
        Ok(Response::new(GetOrderHistoryResponse { entries }))
    }

    async fn erase_customer(
        &self,
        request: Request<EraseCustomerRequest>,
    ) -> Result<Response<EraseCustomerResponse>, Status> {
        let customer = convert::erase_customer(request.into_inner()).map_err(convert::refusal)?;
        app::erase_customer(&self.store, &customer).await.map_err(convert::refusal)?;
        Ok(Response::new(EraseCustomerResponse {}))
    }

    async fn list_order_events(
        &self,
        request: Request<ListOrderEventsRequest>,
    ) -> Result<Response<ListOrderEventsResponse>, Status> {
        let page = convert::list_order_events(&request.into_inner(), self.store.incarnation());
        let page = page.map_err(convert::refusal)?;
        let id = page.order_id;
        app::list_order_events(&self.store, page).await.map(Response::new).map_err(about(id)).map_err(convert::refusal)
    }
}
