//! The catalog context: what can be ordered, and for how much.
//!
//! It owns names, descriptions, prices and SKUs of products. How many there are is inventory's business, and what an
//! order costs is ordering's, which keeps a price list of its own from this context's events.

pub mod app;
pub mod domain;
mod grpc;
pub mod store;

use contracts::tradewind::catalog::v1::catalog_service_server::CatalogServiceServer;
use tradewind_runtime::{Kit, NoSettings, Parts, Service};

use crate::grpc::Catalog;
#[cfg(any(test, feature = "fuzzed"))]
pub use crate::grpc::fuzzed;

/// The service: its tables and its calls.
#[must_use]
pub fn service() -> Service {
    Service::new("catalog", store::migrations, compose)
        .purpose("keeps what can be ordered, and its price")
        .ports(7101, 7201)
}

#[expect(clippy::unnecessary_wraps, reason = "the runtime lets a composition fail")]
fn compose(kit: Kit, _: NoSettings) -> anyhow::Result<Parts> {
    Ok(Parts::new().grpc(CatalogServiceServer::new(Catalog::new(kit.store))))
}
