//! The contract's RPCs: decode, ask, encode.

use contracts::tradewind::shipping::v1::{
    DeliverShipmentRequest, DeliverShipmentResponse, DispatchShipmentRequest, DispatchShipmentResponse,
    GetShipmentRequest, GetShipmentResponse, ListShipmentsRequest, ListShipmentsResponse, Shipment,
    shipping_service_server::ShippingService,
};
use tonic::{Request, Response, Status};
use tradewind_domain::request::{order_id, page_size, page_token};
use tradewind_domain::{Error, OrderId};
use tradewind_mesh::status;
use tradewind_store::Store;

use crate::app;

/// What refuses the shipment of an order, as the caller hears it.
fn refusal(order_id: OrderId) -> impl FnOnce(Error) -> Status {
    move |error| status(error.of::<Shipment>(order_id.to_string()))
}

/// Answers the calls of `ShippingService`.
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
impl ShippingService for Api {
    async fn dispatch_shipment(
        &self,
        request: Request<DispatchShipmentRequest>,
    ) -> Result<Response<DispatchShipmentResponse>, Status> {
        let order_id = order_id(&request.into_inner().order_id).map_err(status)?;
        let shipment = app::dispatch_shipment(&self.store, order_id).await.map_err(refusal(order_id))?;
        Ok(Response::new(DispatchShipmentResponse { shipment: Some(shipment) }))
    }

    async fn deliver_shipment(
        &self,
        request: Request<DeliverShipmentRequest>,
    ) -> Result<Response<DeliverShipmentResponse>, Status> {
        let order_id = order_id(&request.into_inner().order_id).map_err(status)?;
        let shipment = app::deliver_shipment(&self.store, order_id).await.map_err(refusal(order_id))?;
        Ok(Response::new(DeliverShipmentResponse { shipment: Some(shipment) }))
    }

    async fn get_shipment(
        &self,
        request: Request<GetShipmentRequest>,
    ) -> Result<Response<GetShipmentResponse>, Status> {
        let order_id = order_id(&request.into_inner().order_id).map_err(status)?;
        let shipment = app::get_shipment(&self.store, order_id).await.map_err(refusal(order_id))?;
        Ok(Response::new(GetShipmentResponse { shipment: Some(shipment) }))
    }

    async fn list_shipments(
        &self,
        request: Request<ListShipmentsRequest>,
    ) -> Result<Response<ListShipmentsResponse>, Status> {
        let request = request.into_inner();
        let size = page_size(request.page_size).map_err(status)?;
        let after = page_token(&request.page_token).map_err(status)?;
        app::list_shipments(&self.store, after, size).await.map(Response::new).map_err(status)
    }
}
