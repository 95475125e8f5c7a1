//! `tradewind log`: what services log, and more or less of it for a time.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use contracts::tradewind::mesh::v1::{GetMeshStatusRequest, LogFilter, SetLogFilterRequest};
use humantime::parse_duration;
use serde_json::{Value, json};
use shop::Clients;
use supervisor::services;

use crate::output::{document, json as as_json, moment, of_each, print_json, say};
use crate::{Global, clients};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show what services log.
    Show {
        /// Only these services; all are asked where none is named.
        #[arg(value_name = "SERVICE", value_parser = services::names())]
        services: Vec<String>,
    },
    /// Have a service log more or less than its settings say. It ends by itself.
    ///
    /// Whatever ordering's readers do, for ten minutes:
    ///
    ///   tradewind log set ordering info,tradewind_events=debug --for 10m
    #[command(verbatim_doc_comment)]
    Set {
        /// The service. Where it has replicas, the one that answers.
        #[arg(value_parser = services::names())]
        service: String,
        /// A level (error, warn, info, debug, trace), or target=level, separated by commas.
        filter: String,
        /// For how long, at most 24h.
        #[arg(long = "for", value_parser = parse_duration, value_name = "TIME", default_value = "10m")]
        lasts: Duration,
    },
    /// Have a service log what its settings say, before the time is over.
    Reset {
        /// The service.
        #[arg(value_parser = services::names())]
        service: String,
    },
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    let (service, request) = match command {
        Command::Show { services } => return show(&shop, &services, global.json).await,
        Command::Set { service, filter, lasts } => {
            let lasts = prost_types::Duration::try_from(lasts).context("--for is too long")?;
            (service, SetLogFilterRequest { filter, lasts: Some(lasts) })
        }
        Command::Reset { service } => (service, SetLogFilterRequest::default()),
    };
    let response = shop.mesh_of(&service)?.set_log_filter(request).await?.into_inner();
    match &response.log {
        Some(log) if !global.json => line(&service, log)?,
        _ => print_json(&response)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(shop: &Clients, named: &[String], json: bool) -> Result<ExitCode> {
    let all: Vec<&str> = match named {
        [] => services::names().to_vec(),
        named => named.iter().map(String::as_str).collect(),
    };
    let ask = async |service: &str| {
        let status = shop.mesh_of(service)?.get_mesh_status(GetMeshStatusRequest {}).await?.into_inner();
        status.log.context("a release before this one does not say")
    };
    let (answers, away) = of_each(&all, async |service| ask(service).await).await;
    if json {
        let mut shown = Vec::new();
        for (service, log) in &answers {
            let mut facts = as_json(log)?;
            facts["service"] = Value::from(*service);
            shown.push(facts);
        }
        document(&json!({ "logs": shown, "away": away }))?;
    } else {
        answers.iter().try_for_each(|(service, log)| line(service, log))?;
        away.iter().try_for_each(|(service, error)| say!("{service:<13} cannot be asked: {error}"))?;
    }
    Ok(if away.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(service: &str, LogFilter { filter, until_time, principal }: &LogFilter) -> Result<()> {
    match until_time {
        Some(_) => say!("{service:<13} {filter}  until {} by {principal}", moment(until_time.as_ref())),
        None => say!("{service:<13} {filter}"),
    }
}
