//! `tradewind quarantine`: what services could not handle, and the ways out of it.

mod drain;
mod look;

use std::process::ExitCode;

use anyhow::{Result, bail};
use contracts::tradewind::consumer::v1::{ListParkedStreamsRequest, ParkedStream};
use supervisor::services;

use crate::Global;
use crate::clients;
use shop::Clients;

/// The largest page there is.
const PAGE: i32 = 1000;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show the streams in quarantine.
    List {
        /// Only this service's; all services are asked where it is left out.
        #[arg(value_parser = services::names())]
        service: Option<String>,
    },
    /// Show one stream: the event that failed, what it says, why it failed, and what waits behind it.
    Show {
        #[command(flatten)]
        stream: Stream,
    },
    /// Handle a stream's events in order; it ends at the first that fails again. Exits 1 where one did.
    Replay {
        #[command(flatten)]
        stream: OneOrAll,
        /// Change nothing; tell what would happen.
        #[arg(long)]
        dry_run: bool,
    },
    /// Give up the first event of a stream for good, and refuse whoever waits for it; what is behind it can be replayed then.
    Discard {
        #[command(flatten)]
        stream: Stream,
        /// The event's position, as `show` tells it: a safeguard against giving up another one.
        #[arg(long)]
        position: u64,
        /// Why, for whoever wonders later.
        #[arg(long)]
        reason: String,
        /// Change nothing; tell what a replay of the rest would lead to.
        #[arg(long)]
        dry_run: bool,
    },
    /// Show what operators did to a service's consumers and quarantine, the latest first.
    Log {
        /// The service.
        #[arg(value_parser = services::names())]
        service: String,
        /// The most to show, up to 1000.
        #[arg(long, default_value_t = 100)]
        page_size: i32,
        /// Where the page before ended.
        #[arg(long, default_value = "")]
        page_token: String,
    },
}

/// Names a stream in quarantine.
#[derive(clap::Args)]
pub(crate) struct Stream {
    /// The service that could not handle it.
    #[arg(value_parser = services::names())]
    service: String,
    /// The stream, e.g. order-0190163d-8694-739b-aea5-966c26f8ad91.
    stream: String,
    /// The consumer, where more than one of the service's has the stream in quarantine.
    #[arg(long)]
    consumer: Option<String>,
}

/// Names one stream in quarantine, or every one of a service.
#[derive(clap::Args)]
pub(crate) struct OneOrAll {
    /// The service that could not handle it.
    #[arg(value_parser = services::names())]
    service: String,
    /// The stream, e.g. order-0190163d-8694-739b-aea5-966c26f8ad91.
    #[arg(required_unless_present = "all")]
    stream: Option<String>,
    /// The consumer, where more than one of the service's has the stream in quarantine.
    #[arg(long)]
    consumer: Option<String>,
    /// Every stream that the service has in quarantine, one after the other.
    #[arg(long, conflicts_with = "stream")]
    all: bool,
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let (shop, json) = (clients::asked(&global)?, global.json);
    match command {
        Command::List { service } => look::list(&shop, service.as_deref(), json).await,
        Command::Show { stream } => look::show(&shop, &stream, json).await,
        Command::Replay { stream, dry_run } => drain::replay(&shop, stream, dry_run, json).await,
        Command::Discard { stream, position, reason, dry_run } => {
            drain::discard(&shop, &stream, position, reason, dry_run, json).await
        }
        Command::Log { service, page_size, page_token } => {
            look::log(&shop, &service, page_size, page_token, json).await
        }
    }
}

/// Every stream that a service has in quarantine.
async fn parked(shop: &Clients, service: &str) -> Result<Vec<ParkedStream>> {
    let mut client = shop.consumers_of(service)?;
    let mut request = ListParkedStreamsRequest { page_size: PAGE, page_token: String::new() };
    let mut streams = Vec::new();
    loop {
        let page = client.list_parked_streams(request.clone()).await?.into_inner();
        streams.extend(page.streams);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(streams);
        }
    }
}

/// The stream in quarantine that is meant.
async fn find(shop: &Clients, Stream { service, stream, consumer }: &Stream) -> Result<ParkedStream> {
    let mut found = parked(shop, service).await?;
    found.retain(|parked| parked.stream == *stream && consumer.as_ref().is_none_or(|name| *name == parked.consumer));
    match found.len() {
        0 => bail!("{service} has nothing of {stream} in quarantine; `tradewind quarantine list` shows what there is"),
        1 => Ok(found.remove(0)),
        _ => {
            let consumers: Vec<_> = found.into_iter().map(|parked| parked.consumer).collect();
            bail!(
                "name one of the consumers that have {stream} in quarantine with --consumer: {}",
                consumers.join(", ")
            )
        }
    }
}
