//! The ordering context: takes orders, and settles each by a choreographed saga. It asks by its own events and moves on
//! by the answers of inventory, payment and shipping; it calls nobody.
//!
//! This is the composition root. Rules are in [`domain`]; what reads or writes the database is in `app` and `store`;
//! what speaks gRPC is in `grpc`.

mod app;
mod config;
pub mod domain;
mod grpc;
pub mod store;

use contracts::tradewind::ordering::v1::ordering_service_server::OrderingServiceServer;
use tradewind_runtime::{Kit, Parts, Service};

pub use crate::app::{order_list, reactions};
#[cfg(any(test, feature = "fuzzed"))]
pub use crate::grpc::fuzzed;
pub use crate::store::migrations;
use crate::{
    app::{EraseCustomer, ExpireOnDeadline, OrderChanges, begin_to_count},
    config::Config,
    grpc::Orders,
};

/// The ordering service, for the runtime to run.
#[must_use]
pub fn service() -> Service {
    Service::new("ordering", store::migrations, compose)
        .purpose("Takes orders and settles them: confirmed, or cancelled with everything given back.")
        .ports(7102, 7202)
}

#[expect(clippy::unnecessary_wraps, reason = "the runtime lets a composition fail")]
fn compose(kit: Kit, config: Config) -> anyhow::Result<Parts> {
    begin_to_count();
    let changes = OrderChanges::follow(&kit.store);
    let orders = Orders::new(kit.store.clone(), changes, config.order_deadline);
    let erase = EraseCustomer(kit.store.clone());
    Ok(Parts::new()
        .grpc(OrderingServiceServer::new(orders))
        .owner_of("order_id", move |order| grpc::owner(kit.store.clone(), order), grpc::missing)
        .reactions(reactions())
        .projection(order_list())
        .timer(ExpireOnDeadline)
        .timer(erase))
}
