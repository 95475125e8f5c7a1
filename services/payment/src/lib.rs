//! The payment context: takes an order's money once its stock is set aside, and gives it back when the order is cancelled.
//!
//! This file is the composition root. What an order is, and why it is cancelled, is none of this context's business.

pub mod app;
mod config;
pub mod domain;
mod grpc;
mod provider;
pub mod store;

use contracts::tradewind::payment::v1::payment_service_server::PaymentServiceServer;
use tradewind_runtime::{Kit, Parts, Service, outside::Party};

#[cfg(any(test, feature = "fuzzed"))]
pub use crate::provider::fuzzed;
use crate::{app::CallCardProvider, config::Settings, grpc::Api};

/// The payment service, ready to be run.
#[must_use]
pub fn service() -> Service {
    Service::new::<Settings>("payment", store::migrations, compose)
        .purpose("charges cards for orders and gives the money back")
        .ports(7104, 7204)
}

fn compose(kit: Kit, settings: Settings) -> anyhow::Result<Parts> {
    let provider = Party::new(settings.outside_url, settings.outside_timeout)?;
    Ok(Parts::new()
        .grpc(PaymentServiceServer::new(Api::new(kit.store)))
        .reactions(app::reactions())
        .projection(app::payment_list())
        .intents(CallCardProvider::new(provider), settings.charge_concurrency.get()))
}
