//! The runtime as a service and its surroundings see it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broker;
mod engine;
mod event_log;
mod life;
mod outside;
mod program;

use std::path::Path;

use tradewind_mesh::pki;
use tradewind_runtime::{NoSettings, Parts, Service};

const TRUST_DOMAIN: &str = "tradewind.local";

/// A service the contract knows nothing of: no RPCs of its own, no reactions.
fn harbour() -> Service {
    Service::new::<NoSettings>("harbour", Vec::new, |_, _| Ok(Parts::new())).purpose("keeps ships")
}

fn credentials(folder: &Path) {
    pki::init(folder, &["harbour", "notification", "operator", "ordering"], TRUST_DOMAIN).unwrap();
}

fn database(folder: &Path) -> String {
    tradewind_sql::sqlite_url(&folder.join("harbour.db"))
}
