//! The inventory context: stock counters by SKU and location, and what is set aside for orders.
//!
//! It owns what stock there is and who may have it. Why an order is placed, cancelled or shipped is ordering's business:
//! this context only reacts.

pub mod app;
pub mod domain;
mod grpc;
pub mod store;

use contracts::reactions;
use contracts::tradewind::inventory::v1::inventory_service_server::InventoryServiceServer;
use tradewind_events::{Forward, Reactions};
use tradewind_runtime::{Kit, NoSettings, Parts, Service};

use crate::app::{refusal, release_on_order_cancelled, reserve_on_order_placed, ship_on_order_shipped};
use crate::domain::Reservation;
use crate::grpc::Inventory;

/// The service: its tables, its calls and its reactions.
#[must_use]
pub fn service() -> Service {
    Service::new("inventory", store::migrations, compose)
        .purpose("keeps the stock and sets it aside for orders")
        .ports(7103, 7203)
}

fn compose(kit: Kit, _: NoSettings) -> anyhow::Result<Parts> {
    Ok(Parts::new().grpc(InventoryServiceServer::new(Inventory::new(kit.store))).reactions(reactions()))
}

/// What follows an order's events.
#[must_use]
pub fn reactions() -> Reactions {
    tradewind_runtime::reactions(reactions::Inventory {
        reserve_on_order_placed: Forward::new::<Reservation>(reserve_on_order_placed, refusal),
        release_on_order_cancelled,
        ship_on_order_shipped,
    })
}
