//! The documents context: what an order says on paper. It keeps the facts that invoices and credit notes are made of, and makes them
//! when they are asked for.
//!
//! This file is the composition root. It follows what others say, and nobody follows it: an order that waited for it would be wrong.

pub mod app;
pub mod domain;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod grpc;
mod render;
pub mod store;

use contracts::tradewind::documents::v1::document_service_server::DocumentServiceServer;
use tradewind_runtime::{Kit, NoSettings, Parts, Service};

use crate::grpc::Api;
pub use crate::render::render;

/// The service: its tables, its read model and its calls.
#[must_use]
pub fn service() -> Service {
    Service::new("documents", store::migrations, compose)
        .purpose("makes the invoices and credit notes of orders")
        .ports(7109, 7209)
}

#[expect(clippy::unnecessary_wraps, reason = "the runtime lets a composition fail")]
fn compose(kit: Kit, _: NoSettings) -> anyhow::Result<Parts> {
    let (orders, documents) = (kit.store.clone(), kit.store.clone());
    Ok(Parts::new()
        .grpc(DocumentServiceServer::new(Api::new(kit.store)))
        .owner_of("order_id", move |order| grpc::owner_of_order(orders.clone(), order), grpc::no_order)
        .owner_of("number", move |number| grpc::owner_of_document(documents.clone(), number), grpc::no_document)
        .projection(app::documents()))
}
