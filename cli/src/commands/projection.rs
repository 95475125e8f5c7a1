//! `tradewind projection`: the read models of each service, and having one built anew.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use contracts::tradewind::consumer::v1::{
    ListProjectionsRequest, Projection, ProjectionBuild, RebuildProjectionRequest,
};
use serde_json::{Value, json};
use supervisor::services;

use crate::Global;
use crate::clients;
use crate::output::{document, json as as_json, moment, of_each, print_json, say};
use shop::Clients;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show each read model: its version, how far it is, and what is built beside it.
    List {
        /// Only this service's; all services are asked where it is left out.
        #[arg(value_parser = services::names())]
        service: Option<String>,
    },
    /// Show how far one has come, and when what is built is going to be read.
    Status {
        /// The service.
        #[arg(value_parser = services::names())]
        service: String,
        /// The projection, as `list` shows it.
        projection: String,
    },
    /// Have one built anew from its events, beside the one that is read; no query waits for that.
    Rebuild {
        /// The service.
        #[arg(value_parser = services::names())]
        service: String,
        /// The projection, as `list` shows it.
        projection: String,
        /// Why, for whoever wonders later.
        #[arg(long)]
        reason: String,
    },
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    match command {
        Command::List { service } => return list(&shop, service.as_deref(), global.json).await,
        Command::Status { service, projection } => {
            let all = projections_of(&shop, &service).await?;
            let Some(found) = all.into_iter().find(|found| found.projection == projection) else {
                anyhow::bail!("{service} has no projection {projection:?}; `tradewind projection list` shows them");
            };
            if global.json { print_json(&found)? } else { show(&service, &found)? }
        }
        Command::Rebuild { service, projection, reason } => {
            let request = RebuildProjectionRequest { projection: projection.clone(), reason };
            let response = shop.consumers_of(&service)?.rebuild_projection(request).await?.into_inner();
            if global.json {
                print_json(&response)?;
            } else {
                say!("{projection} of {service} is going to be built anew; `tradewind projection status` follows it")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn projections_of(shop: &Clients, service: &str) -> Result<Vec<Projection>> {
    let response = shop.consumers_of(service)?.list_projections(ListProjectionsRequest {}).await?;
    Ok(response.into_inner().projections)
}

/// How many events a projection has not seen yet; nothing where those who have them cannot be asked.
pub(super) async fn behind(shop: &Clients, service: &str, projection: &str) -> Result<Option<u64>> {
    let all = projections_of(shop, service).await?;
    let found = all.iter().find(|found| found.projection == projection);
    Ok(found.and_then(|found| Some(found.total_events?.saturating_sub(found.events))))
}

async fn list(shop: &Clients, only: Option<&str>, json: bool) -> Result<ExitCode> {
    let services = only.map_or_else(|| services::names().to_vec(), |service| vec![service]);
    let (answers, away) = of_each(&services, async |service| projections_of(shop, service).await).await;
    let found = answers.iter().flat_map(|(service, found)| found.iter().map(move |one| (*service, one)));
    if json {
        let mut projections = Vec::new();
        for (service, projection) in found {
            let mut facts = as_json(projection)?;
            facts["service"] = Value::from(service);
            projections.push(facts);
        }
        document(&json!({ "projections": projections, "away": away }))?;
    } else {
        for (service, projection) in found {
            show(service, projection)?;
        }
        away.iter().try_for_each(|(service, error)| say!("{service:<13} cannot be asked: {error}"))?;
    }
    Ok(if away.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(service: &str, projection: &Projection) -> Result<()> {
    let Projection { projection: name, version, events, total_events, ask_time, build, .. } = projection;
    let total = total_events.map_or_else(|| "?".to_owned(), |total| total.to_string());
    let since =
        projection.start_time.as_ref().map_or_else(String::new, |time| format!(", read since {}", moment(Some(time))));
    say!("{service:<13} {name:<20} version {version}, {events} of {total} events{since}")?;
    if let Some(asked) = ask_time {
        say!("{service:<13} {name:<20} asked for at {}, not begun", moment(Some(asked)))?;
    }
    let Some(ProjectionBuild { version, start_time, events, failure }) = build else { return Ok(()) };
    let since = moment(start_time.as_ref());
    say!(
        "{service:<13} {name:<20} BUILDS version {version} since {since}: {events} of {total} events{}",
        left(projection)
    )?;
    if !failure.is_empty() {
        say!("{service:<13} {name:<20} CANNOT BE BUILT: {failure}")?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a command line has no clock passed in")]
/// How long a build is going to take at the rate it has had, where that can be told.
fn left(projection: &Projection) -> String {
    let told = || {
        let build = projection.build.as_ref()?;
        let began = UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(build.start_time?.seconds).ok()?))?;
        let seconds = SystemTime::now().duration_since(began).ok()?.as_secs();
        let rate = build.events.checked_div(seconds).filter(|rate| *rate > 0)?;
        let left = projection.total_events?.saturating_sub(build.events) / rate;
        let left = humantime::format_duration(Duration::from_secs(left));
        Some(format!(", {rate} a second, {left} left"))
    };
    told().unwrap_or_default()
}
