//! The edge: whoever is outside, without a certificate of ours, is answered here, in REST with JSON, gRPC-Web or gRPC. What there is
//! to call, and by which path, is read from the contracts; what a call means is the business of whoever serves it.
//!
//! This file is the composition root. Nothing is kept here, and no method has code of its own.

mod activity;
mod answer;
mod config;
mod cors;
mod crowd;
mod door;
mod etag;
mod grpc;
mod json;
mod memory;
mod methods;
mod metrics;
mod openapi;
mod reading;
mod refused;
mod request_id;
mod rest;
mod room;
mod server;
mod site;
mod state;
mod streaming;
mod unary;
mod web;
mod who;
mod whole;

use std::sync::Arc;

use tradewind_runtime::{Front, Outlook, Service, SettingsError};

use crate::config::Config;
pub use crate::cors::Origins;
pub use crate::door::Door;
pub use crate::memory::Memory;
pub use crate::methods::{Methods, Offer, Upstream};
pub use crate::server::{Files, Patience, Server};
pub use crate::who::{Caller, Fetch, Issuers, Proxies, Trusted, Who};

/// The gateway, ready to be run.
#[must_use]
pub fn service() -> Service {
    Service::at_the_edge::<Config, _>("gateway", open).purpose("answers whoever is outside").ports(8080, 7200)
}

async fn open(outlook: Outlook, config: Config) -> anyhow::Result<Front> {
    let files = match (config.tls_certificate, config.tls_key) {
        (Some(certificate), Some(key)) => Some(Files { certificate, key }),
        (None, None) => None,
        (Some(_), None) => return Err(SettingsError::of("tls_key", "is missing beside tls_certificate").into()),
        (None, Some(_)) => return Err(SettingsError::of("tls_certificate", "is missing beside tls_key").into()),
    };
    let methods = Methods::new(methods::of_contract(&outlook.channels)?)?;
    let client = who::client()?;
    let mut issuers = config.trusted_issuers.trusted(|url| who::of_url(client.clone(), url));
    if !config.issuer.is_empty()
        && let Ok(identity) = outlook.channels.to(methods::IDENTITY)
    {
        issuers.push(Trusted::own(&config.issuer, who::of_identity(identity)));
    }
    let who = Who::trusting(issuers);
    let memory = Memory::of(config.memory);
    let server = Server::bind(config.http_addr, files, memory.connections(config.connections.get())).await?;
    let server = server.of_one(config.connections_of_one.get());
    let address = server.local_addr();
    Ok(Front::new(address, move |stop, grace| {
        let door = Door::new(methods, who, stop.clone()).within(memory, config.json_bytes.get());
        let door = door.open_to(config.cors_origins).behind(config.trusted_proxies);
        server.serve(Arc::new(door), stop, grace)
    }))
}
