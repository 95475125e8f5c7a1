//! Lends books, and takes them back.

mod api;
mod loan;

use contracts::library::lending::v1::lending_service_server::LendingServiceServer;
use tradewind_runtime::{Kit, NoSettings, Parts, Service};

use crate::api::Api;

/// The service, ready to be run. Its events are all that it keeps, so it has no tables of its own.
#[must_use]
pub fn service() -> Service {
    Service::new("lending", Vec::new, compose).purpose("lends books").ports(7101, 7201)
}

fn compose(kit: Kit, _: NoSettings) -> anyhow::Result<Parts> {
    Ok(Parts::new().grpc(LendingServiceServer::new(Api::new(kit.store))))
}
