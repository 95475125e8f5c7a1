//! Tests over the whole shop.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod asvs;
mod authorization;
mod broker;
mod broker_nodes;
mod broker_permissions;
mod chaos;
mod chart;
mod circles;
mod commands;
mod compose;
mod console;
mod contracts_hold;
mod crash;
mod decoders;
mod dependencies;
mod deployment;
mod discard;
mod documents;
mod drain;
mod erasure;
mod events_document;
mod explain;
mod flows;
mod fuzzed;
mod health;
mod image;
mod mesh;
mod migrations;
mod new_service;
mod poison;
mod programs;
mod purity;
mod race;
mod readers;
mod reads;
mod rebuilding;
mod refusals;
mod rehearsal;
mod released;
mod rollout;
mod saga;
mod services;
mod sql_text;
mod supervising;
mod tables;
mod tomorrow;
mod trace;
mod upgrade;

use system_tests::{later, people, process, project, proxy, shop};

/// Not a test: the service, where a test has started this binary as one.
#[test]
fn service_process() {
    process::serve_where_told();
}
