//! The edge: whoever is outside, without a certificate of ours, is answered here, in REST with JSON, gRPC-Web or gRPC. What there is
//! to call, and by which path, is read from the contracts; what a call means is the business of whoever serves it.
//!
//! This file is the composition root. Nothing is kept here, and no method has code of its own.

mod answer;
mod arriving;
mod awake;
mod config;
mod cors;
mod crowd;
mod door;
mod etag;
mod framing;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod grpc;
mod json;
mod limits;
mod memory;
mod metadata;
mod methods;
mod metrics;
mod openapi;
mod reading;
mod refused;
mod request_id;
mod rest;
mod server;
mod site;
mod state;
mod streaming;
mod unary;
mod usual;
mod watched;
mod web;
mod who;
mod whole;

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::Value;
use tradewind_edge::Files;
use tradewind_runtime::{Board, Front, Outlook, Service};
use uuid::Uuid;

use crate::awake::Awake;
use crate::config::Config;
pub use crate::cors::Origins;
pub use crate::door::Door;
pub use crate::limits::{Limits, Rules};
pub use crate::memory::Memory;
pub use crate::metadata::Metadata;
pub use crate::methods::{Methods, Offer, Upstream};
pub use crate::server::{Patience, Server};
pub use crate::who::{Caller, Fetch, FindKey, Found, Issuers, Trusted, Who};

/// The gateway, ready to be run.
#[must_use]
pub fn service() -> Service {
    Service::at_the_edge::<Config, _>("gateway", open).purpose("answers whoever is outside").ports(8080, 7200)
}

/// What `/openapi.json` says of all that the contracts have for whoever is outside. Nothing has to run.
///
/// # Errors
/// Where a method's option makes no route, or two take the same requests.
pub fn openapi() -> anyhow::Result<Value> {
    let methods = Methods::new(methods::of_contract(|_| methods::nobody())?)?;
    Ok(openapi::document(&methods))
}

async fn open(outlook: Outlook, config: Config) -> anyhow::Result<Front> {
    let files = Files::of(config.tls_certificate, config.tls_key)?;
    let methods = Methods::new(methods::of_contract(|context| methods::upstream(&outlook.channels, context))?)?;
    let client = who::client()?;
    let mut issuers =
        config.trusted_issuers.trusted(config.trusted_token_lifetime, |url| who::of_url(client.clone(), url));
    let identity = outlook.channels.to(methods::IDENTITY).ok().filter(|_| !config.issuer.is_empty());
    if let Some(identity) = &identity {
        issuers.push(Trusted::own(&config.issuer, who::of_identity(identity.clone())));
    }
    let mut who = Who::trusting(issuers);
    if let Some(identity) = identity {
        who = who.finding(who::partners_of_identity(identity.clone())).heeding(tradewind_edge::of_identity(identity));
    }
    let memory = Memory::of(config.memory);
    let most = memory.connections(config.connections.get(), files.is_some());
    let server = Server::bind(config.http_addr, files, most)?;
    let server = server.of_one(config.connections_of_one.get());
    let address = server.local_addr();
    let limits = Limits::new(config.limits);
    limits.watch();
    let broker = outlook.broker.context("the gateway's replicas tell each other over the broker")?;
    let board = Board::new(broker, outlook.name, &Uuid::now_v7().simple().to_string());
    Ok(Front::new(address, move |stop, grace| {
        tokio::spawn(limits::share(limits.clone(), board, stop.clone()));
        let awake = Awake::new(config.busy_poll);
        tokio::spawn(awake.clone().run(stop.clone()));
        let door = Door::new(methods, who, stop.clone()).reckoning(memory, config.json_bytes.get());
        let door = door.open_to(config.cors_origins).behind(config.trusted_proxies).within(limits).waking(awake);
        server.serve(Arc::new(door), stop, grace)
    }))
}
