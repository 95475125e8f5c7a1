//! Knows of whom a book is awaited, by what lending says. It calls nobody.

mod api;
mod reactions;
mod reminder;

use contracts::library::reminders::v1::reminders_service_server::RemindersServiceServer;
use tradewind_runtime::{Kit, NoSettings, Parts, Service};

use crate::api::Api;

/// The service, ready to be run.
#[must_use]
pub fn service() -> Service {
    Service::new("reminders", Vec::new, compose).purpose("knows which books are awaited").ports(7102, 7202)
}

fn compose(kit: Kit, _: NoSettings) -> anyhow::Result<Parts> {
    let parts = Parts::new().grpc(RemindersServiceServer::new(Api::new(kit.store)));
    Ok(parts.reactions(reactions::reactions()))
}
