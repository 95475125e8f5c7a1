//! `tradewind`: runs the system on one machine, issues certificates, places and follows orders,
//! inspects and repairs what services read, plays the demonstration and replays real sales.
//!
//! This crate talks to the services through their contracts only, like any other client.

#![deny(clippy::print_stderr)]

mod body;
mod catalogue;
mod clients;
mod commands;
mod compat;
mod demo;
mod front;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod kubernetes;
mod local;
mod output;
mod people;
mod replay;
mod said;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PathBufValueParser, TypedValueParser as _};
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
    #[arg(long, global = true, env = "TRADEWIND_DIR", default_value = ".tradewind", value_name = "FOLDER",
        value_parser = PathBufValueParser::new().try_map(local::folder))]
    dir: PathBuf,
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    json: bool,
    /// The workload to call as; its certificate is taken from the folder's pki/.
    #[arg(long = "as", global = true, default_value = "operator", value_name = "NAME")]
    identity: String,
    /// Where services answer that are not on the documented ports of this machine.
    #[arg(long, global = true, env = "TRADEWIND_PEERS", value_delimiter = ',', value_name = "NAME=ADDRESS")]
    peers: Vec<String>,
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
    /// Print what the broker has to know of the services, and make what it holds for them.
    #[command(subcommand)]
    Broker(commands::broker::Command),
    /// Issue and renew certificates.
    #[command(subcommand)]
    Pki(commands::pki::Command),
    /// Show what the contracts say of a method, and tell who may call it. Needs nothing that runs.
    #[command(subcommand)]
    Policy(commands::policy::Command),
    /// Write down the contracts, also as documents and a page, and tell whom a change of them breaks. Needs nothing that runs.
    #[command(subcommand)]
    Contracts(commands::contracts::Command),
    /// Tell whether a service of this build goes with what is deployed. Exits with 0 where it does, with 1 where it does not.
    ///
    /// It may not break who is deployed and calls it or reads its events, and what it calls and reads has to be deployed
    /// already. Needs nothing that runs.
    CanIDeploy(commands::contracts::DeployArgs),
    /// See how the calls between services stand, and have some of them fail or take long.
    ///
    /// Each service keeps connections to those it calls, leaves alone for a moment whoever fails, and repeats what may be
    /// repeated. `status` shows all that as it is now. `fault` makes calls fail or wait on purpose, for a time, to see what
    /// comes of it. Where a service has several replicas, one of them answers; name it with --peers NAME=ADDRESS.
    #[command(subcommand)]
    Mesh(commands::mesh::Command),
    /// See what services log, and have one log more or less for a time.
    #[command(subcommand)]
    Log(commands::log::Command),
    /// See all of it in a browser: what is stuck and why, each order, calls, quarantine, money and sales, and do something about it.
    ///
    /// Prints a link for a browser on this machine. Whoever opens it does what the operator's certificate may do.
    Console(commands::console::Args),
    /// Watch the shop in this terminal: orders, calls and events a second, who is behind, and what an operator should know of.
    Top(commands::top::Args),
    /// Place orders at a rate, for as long as is asked for, and tell how long that took.
    ///
    /// Makes products and stock for it where there are none. Orders are placed when they are due, whatever became of those before.
    Load(commands::load::Args),
    /// Back up and restore databases, and make their passwords on Kubernetes.
    #[command(subcommand)]
    Database(commands::database::Command),
    /// Place, follow, explain and cancel orders.
    #[command(subcommand)]
    Order(commands::order::Command),
    /// Write down all that is stored of a customer, and have them forgotten.
    #[command(subcommand)]
    Customer(commands::customer::Command),
    /// Show the invoice and the credit note of an order, and fetch them as PDF.
    #[command(subcommand)]
    Document(commands::document::Command),
    /// See which orders wait for what, and whose turn it is.
    #[command(subcommand)]
    Flows(commands::flows::Command),
    /// Show what was sold, by day, week or month, and by product, country or cohort of customers.
    ///
    /// An order is a sale once it is confirmed, and belongs to the day of UTC on which it was placed. One that was cancelled
    /// afterwards stays among the sales, and is told of as cancelled besides. What is shown is a moment behind the orders.
    Sales(commands::sales::Sales),
    /// Show how far orders have come, how long each step took, and where and why those ended that were cancelled.
    ///
    /// Half of the orders that have taken a step took no longer than the first time, 95 % of them no longer than the second; either
    /// is off by at most 1.6 %.
    Funnel(commands::sales::Funnel),
    /// List a product, order it and wait until the order is confirmed.
    Smoke(commands::smoke::Args),
    /// Receive stock and look at it; see what it has done and for how long it lasts, and find where it does not add up.
    ///
    /// Whatever stock does is a movement: a receipt, a reservation, a release, a shipment or a correction. `audit` compares the
    /// counters that orders are answered from with what all movements come to; what differs stays in `differences` until somebody has
    /// settled it and says so with `resolve`.
    #[command(subcommand)]
    Stock(commands::stock::Command),
    /// List products for sale and change them.
    #[command(subcommand)]
    Product(commands::product::Command),
    /// Show what payments have moved, and compare it with the card provider's statement.
    ///
    /// The ledger has four accounts: clearing (what the provider holds for the shop), customer (what customers owe, or are owed
    /// where it is below 0), revenue and refunds. What an entry debits from one it credits to another, so that the balances of
    /// one currency sum to 0. `reconcile` compares the entries of a period with the provider's statement; what differs stays in
    /// `differences` until somebody has settled it and says so with `resolve`.
    #[command(subcommand)]
    Ledger(commands::ledger::Command),
    /// Sign in at the front door, and print the access token for other programs.
    ///
    /// Whoever is outside has no certificate but a token, which goes along with each request for ten minutes:
    /// curl -H "Authorization: Bearer $(tradewind token --demo customer)" localhost:8080/v1/orders
    Token(commands::token::Args),
    /// Make the first account of the shop's own people, and replace the keys that say who is signed in.
    #[command(subcommand)]
    Identity(commands::identity::Command),
    /// See how far each service has read, stop it reading and let it read on.
    ///
    /// A consumer is a set of reactions of a service that reads the logs of other services, or of its own, and remembers how
    /// far it is.
    #[command(subcommand)]
    Consumer(commands::consumer::Command),
    /// See the read models of each service, and have one built anew.
    ///
    /// A projection is a list that is made of events. It is built beside the one that is read, and takes its place when it has
    /// seen everything.
    #[command(subcommand)]
    Projection(commands::projection::Command),
    /// See what services could not handle, try it again or give it up.
    ///
    /// An event that a service can never handle parks its stream for that consumer: later events of the stream queue behind
    /// it in order, all other streams flow. Begin with `list`; `show` tells what is wrong. Once the cause is removed (a fixed
    /// service is deployed, or the event is put right where it was recorded), `replay` handles the stream in order.
    /// `discard` gives up one event for good. Try either with --dry-run before: it changes nothing and tells what would
    /// happen.
    #[command(subcommand)]
    Quarantine(commands::quarantine::Command),
    /// Play real sales from a file through a system of its own.
    Replay(replay::Args),
    /// Run one service in this process; its settings come from TRADEWIND_* variables.
    Service(commands::service::Args),
    /// Run the outside world in this process: card provider, carrier and mail sink.
    Outside(commands::service::OutsideArgs),
    /// Run a program and end it when standard input closes.
    #[command(hide = true)]
    Tied(commands::service::TiedArgs),
}

/// Does what the command line asks for, and tells how it ended.
#[must_use]
pub fn run() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let result = match command {
        Command::Service(args) => return commands::service::run(&global, args),
        Command::Outside(args) => return commands::service::outside(&global, args),
        Command::Up(args) => block_on(commands::up::run(global, args)),
        Command::Down => block_on(commands::down::run(global)),
        Command::Status => block_on(commands::status::run(global)),
        Command::Demo(args) => block_on(demo::run(global, args)),
        Command::Broker(command) => block_on(commands::broker::run(global, command)),
        Command::Pki(command) => block_on(commands::pki::run(global, command)),
        Command::Policy(command) => commands::policy::run(&global, command),
        Command::Contracts(command) => commands::contracts::run(&global, command),
        Command::CanIDeploy(args) => commands::contracts::can_i_deploy(&global, &args),
        Command::Top(args) => block_on(commands::top::run(global, args)),
        Command::Load(args) => block_on(commands::load::run(global, args)),
        Command::Console(args) => block_on(commands::console::run(global, args)),
        Command::Log(command) => block_on(commands::log::run(global, command)),
        Command::Mesh(command) => block_on(commands::mesh::run(global, command)),
        Command::Database(command) => block_on(commands::database::run(global, command)),
        Command::Order(command) => block_on(commands::order::run(global, command)),
        Command::Customer(command) => block_on(commands::customer::run(global, command)),
        Command::Document(command) => block_on(commands::document::run(global, command)),
        Command::Flows(command) => block_on(commands::flows::run(global, command)),
        Command::Sales(args) => block_on(commands::sales::run(global, args)),
        Command::Funnel(args) => block_on(commands::sales::funnel(global, args)),
        Command::Smoke(args) => block_on(commands::smoke::run(global, args)),
        Command::Stock(command) => block_on(commands::stock::run(global, command)),
        Command::Product(command) => block_on(commands::product::run(global, command)),
        Command::Ledger(command) => block_on(commands::ledger::run(global, command)),
        Command::Token(args) => block_on(commands::token::run(global, args)),
        Command::Identity(command) => block_on(commands::identity::run(global, command)),
        Command::Consumer(command) => block_on(commands::consumer::run(global, command)),
        Command::Projection(command) => block_on(commands::projection::run(global, command)),
        Command::Quarantine(command) => block_on(commands::quarantine::run(global, command)),
        Command::Replay(args) => block_on(replay::run(global, args)),
        Command::Tied(args) => block_on(commands::service::tied(args)),
    };
    result.unwrap_or_else(|error| failed(&error))
}

/// Says what went wrong. A reader that has gone has seen what it wanted.
fn failed(error: &anyhow::Error) -> ExitCode {
    if error.is::<output::NobodyListens>() {
        return ExitCode::SUCCESS;
    }
    output::complain(&format!("tradewind: {}", output::explain(error)));
    ExitCode::FAILURE
}

fn block_on(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    // Already installed is as good as installed now.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Runtime::new()?.block_on(command)
}
