//! The analytics context: what orders wait for, of whom, since when and until when, as the contracts say what has to follow an event; and
//! what was sold.
//!
//! This file is the composition root. It follows what others say, and nobody follows it: an order that waited for it would be wrong.

pub mod app;
mod clickhouse;
mod config;
pub mod domain;
mod grpc;
pub mod store;

use contracts::tradewind::analytics::v1::flow_service_server::FlowServiceServer;
use contracts::tradewind::analytics::v1::sales_service_server::SalesServiceServer;
use tradewind_runtime::{Kit, Parts, Service};

use crate::app::Sales;
use crate::clickhouse::ClickHouse;
use crate::config::Config;
#[cfg(any(test, feature = "fuzzed"))]
pub use crate::grpc::fuzzed;
use crate::grpc::{Api, SalesApi};

/// The service: its tables, its read model and its calls.
#[must_use]
pub fn service() -> Service {
    Service::new::<Config>("analytics", store::migrations, compose)
        .purpose("follows what orders wait for and what is sold, and tells what waits too long")
        .ports(7108, 7208)
}

fn compose(kit: Kit, Config { clickhouse, clickhouse_ca, clickhouse_timeout }: Config) -> anyhow::Result<Parts> {
    let clickhouse = clickhouse.map(|url| ClickHouse::new(url, clickhouse_ca, clickhouse_timeout)).transpose()?;
    let (measured, sales) = (kit.store.clone(), Sales::new(kit.store.clone(), clickhouse));
    Ok(Parts::new()
        .grpc(FlowServiceServer::new(Api::new(kit.store)))
        .grpc(SalesServiceServer::new(SalesApi::new(sales.clone())))
        .projection(app::flows())
        .projection(sales.projection())
        .work(|members, stop| app::measure_flows(measured, members, stop)))
}
