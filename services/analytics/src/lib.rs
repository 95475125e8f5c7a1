//! The analytics context: what orders wait for, of whom, since when and until when, as the contracts say what has to follow an event; and
//! what was sold.
//!
//! This file is the composition root. It follows what others say, and nobody follows it: an order that waited for it would be wrong.

pub mod app;
pub mod domain;
mod grpc;
pub mod store;

use contracts::tradewind::analytics::v1::flow_service_server::FlowServiceServer;
use contracts::tradewind::analytics::v1::sales_service_server::SalesServiceServer;
use tradewind_runtime::{Kit, NoSettings, Parts, Service};

#[cfg(any(test, feature = "fuzzed"))]
pub use crate::grpc::fuzzed;
use crate::grpc::{Api, SalesApi};

/// The service: its tables, its read model and its calls.
#[must_use]
pub fn service() -> Service {
    Service::new("analytics", store::migrations, compose)
        .purpose("follows what orders wait for and what is sold, and tells what waits too long")
        .ports(7108, 7208)
}

#[expect(clippy::unnecessary_wraps, reason = "the runtime lets a composition fail")]
fn compose(kit: Kit, _: NoSettings) -> anyhow::Result<Parts> {
    let measured = kit.store.clone();
    Ok(Parts::new()
        .grpc(FlowServiceServer::new(Api::new(kit.store.clone())))
        .grpc(SalesServiceServer::new(SalesApi::new(kit.store)))
        .projection(app::flows())
        .projection(app::sales())
        .work(|members, stop| app::measure_flows(measured, members, stop)))
}
