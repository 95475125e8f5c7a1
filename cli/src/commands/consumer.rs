//! `tradewind consumer`: how far each service has read, and stopping it.

use std::process::ExitCode;

use anyhow::Result;
use contracts::tradewind::consumer::v1::{
    Consumer, ListConsumersRequest, Partition, PauseConsumerRequest, ResumeConsumerRequest, Source, Stuck,
};
use serde_json::{Value, json};
use supervisor::services;

use crate::Global;
use crate::clients;
use crate::output::{document, json as as_json, moment, of_each, print_json, say};
use shop::Clients;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show each consumer, how far it has read each log, and what it has in quarantine.
    List {
        /// Only this service's; all services are asked where it is left out.
        #[arg(value_parser = services::names())]
        service: Option<String>,
    },
    /// Make a consumer stop reading until it is resumed. Nothing is lost: it reads on from where it was.
    Pause {
        /// The service.
        #[arg(value_parser = services::names())]
        service: String,
        /// The consumer, as `list` shows it.
        consumer: String,
        /// Why, for whoever wonders later.
        #[arg(long)]
        reason: String,
    },
    /// Let a paused consumer read on.
    Resume {
        /// The service.
        #[arg(value_parser = services::names())]
        service: String,
        /// The consumer, as `list` shows it.
        consumer: String,
    },
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    match command {
        Command::List { service } => return list(&shop, service.as_deref(), global.json).await,
        Command::Pause { service, consumer, reason } => {
            let request = PauseConsumerRequest { consumer: consumer.clone(), reason };
            let response = shop.consumers_of(&service)?.pause_consumer(request).await?.into_inner();
            match response.pause {
                _ if global.json => print_json(&response)?,
                Some(pause) => {
                    let since = moment(pause.start_time.as_ref());
                    say!("{consumer} of {service} is paused since {since} by {}: {}", pause.principal, pause.reason)?;
                }
                None => say!("{consumer} of {service} is paused")?,
            }
        }
        Command::Resume { service, consumer } => {
            let request = ResumeConsumerRequest { consumer: consumer.clone() };
            let response = shop.consumers_of(&service)?.resume_consumer(request).await?.into_inner();
            if global.json { print_json(&response)? } else { say!("{consumer} of {service} reads on")? }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(shop: &Clients, only: Option<&str>, json: bool) -> Result<ExitCode> {
    let services = only.map_or_else(|| services::names().to_vec(), |service| vec![service]);
    let (answers, away) = of_each(&services, async |service| {
        let response = shop.consumers_of(service)?.list_consumers(ListConsumersRequest {}).await?;
        Ok(response.into_inner().consumers)
    })
    .await;
    if json {
        let mut consumers = Vec::new();
        for (service, found) in &answers {
            for consumer in found {
                let mut facts = as_json(consumer)?;
                facts["service"] = Value::from(*service);
                consumers.push(facts);
            }
        }
        document(&json!({ "consumers": consumers, "away": away }))?;
    } else {
        for (service, consumer) in
            answers.iter().flat_map(|(service, found)| found.iter().map(move |one| (service, one)))
        {
            show(service, consumer)?;
        }
        away.iter().try_for_each(|(service, error)| say!("{service:<13} cannot be asked: {error}"))?;
    }
    Ok(if away.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(service: &str, Consumer { consumer, sources, pause }: &Consumer) -> Result<()> {
    for Source { source, partitions, parked_streams, parked_events } in sources {
        let position: u64 = partitions.iter().map(|partition| partition.position).sum();
        let head: Option<u64> = partitions.iter().map(|partition| partition.head).sum();
        let head = head.map_or_else(|| "?".to_owned(), |head| head.to_string());
        let parked = match parked_events {
            0 => String::new(),
            _ => format!("  in quarantine: {parked_streams} streams, {parked_events} events"),
        };
        say!("{service:<13} {consumer:<20} reads {source:<13} {position} of {head}{parked}")?;
        for Partition { partition, position, stuck, .. } in partitions {
            let Some(Stuck { reason, error, start_time }) = stuck else { continue };
            let since = moment(start_time.as_ref());
            say!(
                "{service:<13} {consumer:<20} STUCK since {since} at position {position} of {source}/{partition}: \
                 {reason}: {error}"
            )?;
        }
    }
    if let Some(pause) = pause {
        let since = moment(pause.start_time.as_ref());
        say!("{service:<13} {consumer:<20} PAUSED since {since} by {}: {}", pause.principal, pause.reason)?;
    }
    Ok(())
}
