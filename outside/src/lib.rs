//! The world around the shop for local runs and tests: a card provider, a carrier and a mail sink in one process
//! that speaks HTTP/JSON and keeps its own durable record.
//!
//! It knows nothing of the shop: no contract, no kit crate, no database of the shop's may be used here, because the
//! shop's books are proved against what this process says.

mod books;
mod card;
mod carrier;
mod decision;
mod faults;
mod http;
mod mail;
mod record;
mod refusal;
mod server;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, filter::LevelFilter, fmt, prelude::*};

pub use server::Server;

/// Where the durable record is unless told otherwise.
pub const DATA: &str = ".tradewind/data/outside";

/// What the process listens on, where it keeps its record, and what its random faults start from.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7300")]
    pub listen: SocketAddr,
    /// Folder of the durable record; made if missing
    #[arg(long, value_name = "DIR", default_value = DATA)]
    pub data: PathBuf,
    /// Seed of the random faults: the same seed and the same calls give the same faults
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
}

/// Card provider, carrier and mail sink for local runs and tests of the shop.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "outside", version)]
pub struct Command {
    /// The options of the one thing this command does.
    #[command(flatten)]
    pub options: Options,
}

/// Sets up logs on standard error and serves until SIGTERM or SIGINT: what a binary's main does.
pub async fn serve_until_signalled(options: Options) -> anyhow::Result<()> {
    let terminal = std::io::stderr().is_terminal();
    let pretty = terminal.then(|| fmt::layer().with_writer(std::io::stderr));
    let json = (!terminal).then(|| fmt::layer().json().with_writer(std::io::stderr));
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    let filter = filter.with_env_var("TRADEWIND_LOG").from_env_lossy();
    tracing_subscriber::registry().with(filter).with(pretty).with(json).init();

    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        stopping.cancel();
    });
    run(options, stop).await
}

/// Serves until `stop` is cancelled, then drains; fails if the record cannot be read, locked or written, or the
/// address cannot be bound.
pub async fn run(options: Options, stop: CancellationToken) -> anyhow::Result<()> {
    Server::bind(options).await?.serve(stop).await
}
