//! The payment context: takes an order's money once its stock is set aside, and gives it back when the order is cancelled. It keeps a
//! ledger of what it moved, and compares it with the card provider's statement.
//!
//! This file is the composition root. What an order is, and why it is cancelled, is none of this context's business.

pub mod app;
mod config;
pub mod domain;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod grpc;
mod provider;
pub mod store;

use anyhow::Context as _;
use contracts::tradewind::payment::v1::ledger_service_server::LedgerServiceServer;
use contracts::tradewind::payment::v1::payment_service_server::PaymentServiceServer;
use tradewind_runtime::{Kit, Parts, Service, outside::Party};

use crate::app::{CallCardProvider, Reconciler};
use crate::{config::Settings, grpc::Api, grpc::LedgerApi};

/// The payment service, ready to be run.
#[must_use]
pub fn service() -> Service {
    Service::new::<Settings>("payment", store::migrations, compose)
        .purpose("charges cards for orders and gives the money back")
        .ports(7104, 7204)
}

fn compose(kit: Kit, settings: Settings) -> anyhow::Result<Parts> {
    let provider = Party::new(settings.outside_url, settings.outside_timeout)?;
    let tolerance = settings.settle_tolerance.try_into().context("settle_tolerance is too long")?;
    let store = kit.store;
    let (reconciler, counted) = (Reconciler::new(store.clone(), provider.clone(), tolerance), store.clone());
    Ok(Parts::new()
        .grpc(PaymentServiceServer::new(Api::new(store.clone())))
        .grpc(LedgerServiceServer::new(LedgerApi::new(store, reconciler)))
        .reactions(app::reactions())
        .projection(app::payment_list())
        .projection(app::ledger())
        .work(|_, stop| app::count_differences(counted, stop))
        .intents(CallCardProvider::new(provider), settings.charge_concurrency.get()))
}
