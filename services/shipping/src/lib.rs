//! The shipping context: books a carrier for paid orders, and decides whether a parcel leaves or its order is cancelled.
//!
//! This file is the composition root. What an order is, and why it is cancelled, is none of this context's business.

pub mod app;
mod config;
pub mod domain;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod grpc;
mod http_carrier;
pub mod store;

use contracts::tradewind::shipping::v1::shipping_service_server::ShippingServiceServer;
use tradewind_runtime::{Kit, Parts, Service, outside::Party};

use crate::{app::CallCarrier, config::Config, grpc::Api};

/// The shipping service, ready to be run.
#[must_use]
pub fn service() -> Service {
    Service::new::<Config>("shipping", store::migrations, compose)
        .purpose("books carriers for orders and lets parcels leave")
        .ports(7105, 7205)
}

fn compose(kit: Kit, config: Config) -> anyhow::Result<Parts> {
    let carrier = Party::new(config.outside_url, config.outside_timeout)?;
    Ok(Parts::new()
        .grpc(ShippingServiceServer::new(Api::new(kit.store)))
        .reactions(app::reactions())
        .projection(app::shipment_list())
        .intents(CallCarrier::new(carrier), config.carrier_concurrency.get()))
}
