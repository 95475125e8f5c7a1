//! The inventory context: stock counters by SKU and location, what is set aside for orders, and every movement of units.
//!
//! It owns what stock there is and who may have it. Why an order is placed, cancelled or shipped is ordering's business:
//! this context only reacts.

pub mod app;
pub mod domain;
mod grpc;
pub mod store;

use contracts::tradewind::inventory::v1::inventory_service_server::InventoryServiceServer;
use contracts::tradewind::inventory::v1::movement_service_server::MovementServiceServer;
use tradewind_runtime::{Kit, NoSettings, Parts, Service};

pub use crate::app::reactions;
#[cfg(any(test, feature = "fuzzed"))]
pub use crate::grpc::fuzzed;
use crate::grpc::{Inventory, Movements};

/// The service: its tables, its calls and its reactions.
#[must_use]
pub fn service() -> Service {
    Service::new("inventory", store::migrations, compose)
        .purpose("keeps the stock and sets it aside for orders")
        .ports(7103, 7203)
}

#[expect(clippy::unnecessary_wraps, reason = "the runtime lets a composition fail")]
fn compose(kit: Kit, _: NoSettings) -> anyhow::Result<Parts> {
    let store = kit.store;
    let counted = store.clone();
    Ok(Parts::new()
        .grpc(InventoryServiceServer::new(Inventory::new(store.clone())))
        .grpc(MovementServiceServer::new(Movements::new(store)))
        .reactions(reactions())
        .projection(app::movements())
        .work(|_, stop| app::count_stock_differences(counted, stop)))
}
