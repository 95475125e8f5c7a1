//! `tradewind mesh`: how calls between services stand, live, and faults that are put into them.

mod fault;
mod status;

use std::process::ExitCode;

use anyhow::Result;
use supervisor::services;

use crate::Global;
use crate::clients;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show certificates, peers, the calls to them of late, their endpoints, circuits that are not closed, and faults.
    ///
    /// Begin where a line is in capitals: an endpoint that is FAILING, calls that FAIL, a circuit that is OPEN, a FAULT that somebody has
    /// set.
    Status {
        /// Only these services; all are asked where none is named.
        #[arg(value_name = "SERVICE", value_parser = services::names())]
        services: Vec<String>,
    },
    /// Have some calls fail or wait, for a time.
    #[command(subcommand)]
    Fault(fault::Command),
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    match command {
        Command::Status { services } => status::run(&shop, &named(&services), global.json).await,
        Command::Fault(command) => fault::run(&shop, command, global.json).await,
    }
}

/// The services that are named, or all where none is.
fn named(services: &[String]) -> Vec<&str> {
    if services.is_empty() { services::names().to_vec() } else { services.iter().map(String::as_str).collect() }
}

/// A span of time for people: `1m 30s`, `12.5ms`.
fn span(duration: Option<&prost_types::Duration>) -> String {
    let Some(duration) = duration.and_then(|span| std::time::Duration::try_from(*span).ok()) else {
        return "-".to_owned();
    };
    match duration.as_micros() {
        0..10_000_000 => format!("{:.1?}", duration),
        _ => humantime::format_duration(std::time::Duration::from_secs(duration.as_secs())).to_string(),
    }
}

/// `1 connection`, `2 connections`.
fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
