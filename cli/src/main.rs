//! `tradewind`: runs the system on one machine, issues certificates, places and follows orders,
//! plays the demonstration and replays real sales.
//!
//! This crate talks to the services through their contracts only, like any other client.

#![expect(clippy::print_stdout, reason = "a command line speaks on standard output")]

mod books;
mod commands;
mod demo;
mod local;
mod output;
mod replay;
mod shop;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs Tradewind on one machine and talks to it.
///
/// Start with `tradewind demo` (plays every way an order can end, and proves the books) or with
/// `tradewind up`, then `tradewind product create`, `tradewind stock receive`, `tradewind order place`.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(clap::Args, Clone)]
pub(crate) struct Global {
    /// Folder that holds certificates, data and logs of the local system.
    #[arg(long, global = true, env = "TRADEWIND_DIR", default_value = ".tradewind", value_name = "FOLDER")]
    dir: PathBuf,
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    json: bool,
    /// The workload to call as; its certificate is taken from the folder's pki/.
    #[arg(long = "as", global = true, default_value = "operator", value_name = "NAME")]
    identity: String,
}

#[derive(Subcommand)]
enum Command {
    /// Start broker, outside world and every service, and keep them running.
    Up(commands::up::Args),
    /// Stop what `up` started.
    Down,
    /// Show what runs and whether it is ready.
    Status,
    /// Play every way an order can end, with real crashes, and prove the books. Needs no `up`.
    Demo(demo::Args),
    /// Issue and renew the certificates of the local system.
    #[command(subcommand)]
    Pki(commands::pki::Command),
    /// Place, follow and cancel orders.
    #[command(subcommand)]
    Order(commands::order::Command),
    /// Receive stock and look at it.
    #[command(subcommand)]
    Stock(commands::stock::Command),
    /// List products for sale and change them.
    #[command(subcommand)]
    Product(commands::product::Command),
    /// Play real sales from an Online Retail CSV file through a system of its own.
    Replay(replay::Args),
    /// Run one service in this process; its settings come from TRADEWIND_* variables.
    Service(commands::service::Args),
    /// Run the outside world in this process: card provider, carrier and mail sink.
    Outside(commands::service::OutsideArgs),
    /// Run a program and end it when standard input closes.
    #[command(hide = true)]
    Tied(commands::service::TiedArgs),
}

fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let result = match command {
        Command::Service(args) => return commands::service::run(args),
        Command::Outside(args) => return commands::service::outside(args),
        Command::Up(args) => block_on(commands::up::run(global, args)),
        Command::Down => block_on(commands::down::run(global)),
        Command::Status => block_on(commands::status::run(global)),
        Command::Demo(args) => block_on(demo::run(global, args)),
        Command::Pki(command) => commands::pki::run(&global, command),
        Command::Order(command) => block_on(commands::order::run(global, command)),
        Command::Stock(command) => block_on(commands::stock::run(global, command)),
        Command::Product(command) => block_on(commands::product::run(global, command)),
        Command::Replay(args) => block_on(replay::run(global, args)),
        Command::Tied(args) => block_on(commands::service::tied(args)),
    };
    result.unwrap_or_else(|error| {
        eprintln!("tradewind: {}", output::explain(&error));
        ExitCode::FAILURE
    })
}

fn block_on(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    // Already installed is as good as installed now.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Runtime::new()?.block_on(command)
}
