//! `tradewind mesh fault`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::value_parser;
use contracts::tradewind::mesh::v1::{ClearFaultsRequest, Fault, ListFaultsRequest, SetFaultRequest};
use humantime::parse_duration;
use serde_json::{Value, json};
use supervisor::services;

use super::{counted, named, span};
use crate::output::{document, json as as_json, of_each, print_json, say};
use shop::{Clients, methods};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Put a fault into some calls of one service. It ends by itself.
    ///
    /// Half of the orders are refused, for half a minute:
    ///
    ///   tradewind mesh fault set ordering PlaceOrder --abort UNAVAILABLE --percent 50 --for 30s
    ///
    /// Whatever ordering asks of catalog takes a fifth of a second longer:
    ///
    ///   tradewind mesh fault set ordering ReadLog --peer catalog --latency 200ms --for 5m
    #[command(verbatim_doc_comment)]
    Set(Set),
    /// Show the faults that are in effect.
    List {
        /// Only this service's; all services are asked where it is left out.
        #[arg(value_parser = services::names())]
        service: Option<String>,
    },
    /// End faults before their time.
    Clear {
        /// Only this service's; those of all services where it is left out.
        #[arg(value_parser = services::names())]
        service: Option<String>,
        /// Only the one of this number, as `list` shows it.
        #[arg(long, requires = "service")]
        number: Option<u64>,
    },
}

#[derive(clap::Args)]
pub(crate) struct Set {
    /// The service that serves the calls, or makes them where --peer is given.
    #[arg(value_parser = services::names())]
    service: String,
    /// The method, e.g. `PlaceOrder` or `ordering.PlaceOrder`; `ordering.*` for all of a service's.
    method: String,
    /// Put it into the calls that the service makes to this one.
    #[arg(long)]
    peer: Option<String>,
    /// Only into those to this address of it, as `status` shows it.
    #[arg(long, requires = "peer", value_name = "ADDRESS:PORT")]
    endpoint: Option<String>,
    /// Have calls wait that long, at most 60s, and never past their deadline.
    #[arg(long, value_parser = parse_duration, value_name = "TIME", required_unless_present = "abort")]
    latency: Option<Duration>,
    /// Have calls end with this status, e.g. UNAVAILABLE, INTERNAL or DEADLINE_EXCEEDED.
    #[arg(long, value_name = "STATUS")]
    abort: Option<String>,
    /// How many of a hundred calls have it.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(0..=100))]
    percent: u32,
    /// For how long, at most 1h.
    #[arg(long = "for", value_parser = parse_duration, value_name = "TIME")]
    lasts: Duration,
}

pub(super) async fn run(shop: &Clients, command: Command, json: bool) -> Result<ExitCode> {
    match command {
        Command::Set(asked) => set(shop, asked, json).await,
        Command::List { service } => {
            let service: Vec<String> = service.into_iter().collect();
            of_all(&named(&service), json, async |service| {
                Ok(shop.mesh_of(service)?.list_faults(ListFaultsRequest {}).await?.into_inner().faults)
            })
            .await
        }
        Command::Clear { service, number } => {
            let (service, numbers): (Vec<String>, Vec<u64>) =
                (service.into_iter().collect(), number.into_iter().collect());
            of_all(&named(&service), json, async |service| {
                let request = ClearFaultsRequest { numbers: numbers.clone() };
                Ok(shop.mesh_of(service)?.clear_faults(request).await?.into_inner().faults)
            })
            .await
        }
    }
}

async fn set(shop: &Clients, asked: Set, json: bool) -> Result<ExitCode> {
    let Set { service, method, peer, endpoint, latency, abort, percent, lasts } = asked;
    let request = SetFaultRequest {
        method: methods::target(&method)?,
        peer: peer.unwrap_or_default(),
        endpoint: endpoint.unwrap_or_default(),
        percent: Some(percent),
        latency: latency.map(prost_types::Duration::try_from).transpose().context("--latency is too long")?,
        abort: abort.unwrap_or_default().to_uppercase(),
        lasts: Some(prost_types::Duration::try_from(lasts).context("--for is too long")?),
    };
    let response = shop.mesh_of(&service)?.set_fault(request).await?.into_inner();
    match &response.fault {
        Some(fault) if !json => show(&service, fault)?,
        _ => print_json(&response)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows the faults that each service answers with.
async fn of_all(services: &[&str], json: bool, ask: impl AsyncFn(&str) -> Result<Vec<Fault>>) -> Result<ExitCode> {
    let (answers, away) = of_each(services, async |service| ask(service).await).await;
    let faults = answers.iter().flat_map(|(service, faults)| faults.iter().map(move |fault| (*service, fault)));
    if json {
        let mut shown = Vec::new();
        for (service, fault) in faults {
            let mut facts = as_json(fault)?;
            facts["service"] = Value::from(service);
            shown.push(facts);
        }
        document(&json!({ "faults": shown, "away": away }))?;
    } else {
        for (service, fault) in faults {
            show(service, fault)?;
        }
        if away.is_empty() && answers.iter().all(|(_, faults)| faults.is_empty()) {
            say!("no faults")?;
        }
        away.iter().try_for_each(|(service, error)| say!("{service:<13} cannot be asked: {error}"))?;
    }
    Ok(if away.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) fn show(service: &str, fault: &Fault) -> Result<()> {
    let Fault { number, method, peer, endpoint, percent, latency, abort, left, principal, injected } = fault;
    let mut of = String::new();
    if !peer.is_empty() {
        of = format!(" to {peer}");
    }
    if !endpoint.is_empty() {
        of = format!("{of} at {endpoint}");
    }
    let waits = latency.as_ref().map(|latency| format!("wait {}", span(Some(latency))));
    let ends = (!abort.is_empty()).then(|| format!("end with {abort}"));
    let what = [waits, ends].into_iter().flatten().collect::<Vec<_>>().join(" and ");
    let (left, had) = (span(left.as_ref()), counted(*injected, "call"));
    say!(
        "{service:<13} FAULT {number}: {percent} % of {method}{of} {what}, for {left} yet, by {principal}; {had} so far"
    )
}
