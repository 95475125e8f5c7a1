//! The crash matrix as a program: `chaos --help`.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "what it prints is what it is for")]

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use serde_json::Value;
use system_tests::chaos::{self, Cell, Options, Report, Verdict};
use system_tests::{cluster, outage};

/// Kills every service at every boundary while orders flow, lets broker, databases and messages suffer, and proves after each
/// run that the books hold and that every reader handled every event exactly once, in order.
#[derive(Parser)]
#[command(name = "chaos", args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Run only the cell of this seed, exactly as it was
    #[arg(long, value_parser = seed, conflicts_with_all = ["only", "round", "soak", "upgrade"])]
    seed: Option<u64>,
    /// Run only cells whose names hold one of these texts, e.g. `payment/` or `publish.sent`
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Run with other seeds: everything random follows from the round and the cell
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..1_000_000))]
    round: u64,
    /// List the cells with their seeds and run none
    #[arg(long)]
    list: bool,
    /// Cells at the same time
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Where to write what came of it as JSON; target/chaos.json, target/soak.json or target/upgrade.json unless set
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to keep the logs and databases of cells that fail
    #[arg(long, value_name = "FOLDER", default_value = "target/chaos")]
    logs: PathBuf,
    /// Instead of cells, kill one of two replicas of every service every few seconds for so long
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "2m", conflicts_with_all = ["only", "list"],
        value_parser = humantime::parse_duration)]
    soak: Option<Duration>,
    /// Instead of cells, have replicas of this program's and of a later build's take one another's place; PROGRAM is its `chaos`
    #[arg(long, value_name = "PROGRAM", conflicts_with_all = ["only", "list", "soak"])]
    upgrade: Option<PathBuf>,
    /// Have one reader of each cell handle events twice, which must be found
    #[arg(long)]
    forge: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// Try on a cluster what a release goes through; `make cluster-test` runs this on a node of its own
    Cluster(ClusterArguments),
    /// Freeze, then kill, what a service needs that another needs, under load, and count how often each is asked
    Outage(OutageArguments),
    /// Be a service, with its settings in the environment
    #[command(hide = true)]
    Service { name: String },
    /// Be one of the services of an outage, with its settings in the environment
    #[command(hide = true)]
    Link,
    /// Print those of the addresses that let this process connect
    #[command(hide = true)]
    Reach { addresses: Vec<SocketAddr> },
}

#[derive(clap::Args)]
struct OutageArguments {
    /// How long it is away each time
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    lasting: Duration,
    /// Where to write what came of it as JSON
    #[arg(long, value_name = "FILE", default_value = "target/outage.json")]
    json: PathBuf,
    /// Where to keep the logs of the services
    #[arg(long, value_name = "FOLDER", default_value = "target/outage")]
    logs: PathBuf,
}

#[derive(clap::Args)]
struct ClusterArguments {
    /// Try only rows whose names hold one of these texts, e.g. `kill`
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// List the rows with what is expected, and try none
    #[arg(long)]
    list: bool,
    /// Where to write what came of it as JSON
    #[arg(long, value_name = "FILE", default_value = "target/cluster.json")]
    json: PathBuf,
    /// Where to keep the logs of rows that fail
    #[arg(long, value_name = "FOLDER", default_value = "target/cluster")]
    logs: PathBuf,
}

/// A seed of a cell that there is.
fn seed(text: &str) -> Result<u64, String> {
    let seed = text.parse().map_err(|_| "a seed is a number".to_owned())?;
    chaos::of_seed(seed).map(|_| seed).ok_or_else(|| "no cell has this seed; see --list".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.role {
        Some(Role::Service { name }) => return chaos::serve(&name),
        Some(Role::Outage(arguments)) => {
            let outages = outage::run(arguments.lasting, &arguments.logs);
            return finish(&outages, &outages.json(), outages.is_good(), &arguments.json);
        }
        Some(Role::Link) => return outage::serve(),
        Some(Role::Cluster(arguments)) => return try_on_a_cluster(&arguments),
        Some(Role::Reach { addresses }) => {
            let reached = tradewind_testing::block_on(cluster::reach(addresses));
            reached.iter().for_each(|address| println!("{address}"));
            return ExitCode::SUCCESS;
        }
        None => {}
    }
    let cells = arguments.cells();
    if arguments.list {
        for (cell, seed) in &cells {
            println!("{seed:6} {}", cell.name());
        }
        return ExitCode::SUCCESS;
    }
    let options = Options { folder: arguments.logs.clone(), forge: arguments.forge };
    if let Some(lasting) = arguments.soak {
        let soaked = chaos::soak(arguments.round, lasting, &options);
        return finish(&soaked, &soaked.json(), soaked.is_good(), &arguments.json.unwrap_or("target/soak.json".into()));
    }
    if let Some(later) = arguments.upgrade {
        let upgraded = chaos::upgrade(arguments.round, &later, &options);
        let file = arguments.json.unwrap_or("target/upgrade.json".into());
        return finish(&upgraded, &upgraded.json(), upgraded.is_good(), &file);
    }
    // Cells fail by panicking; what is asked for is why, not where in the runtime.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let began = Instant::now();
    let outcomes = play(cells, arguments.jobs, &options);
    let report = Report::new(outcomes, began.elapsed());
    finish(&report, &report.json(), report.is_good(), &arguments.json.unwrap_or("target/chaos.json".into()))
}

fn try_on_a_cluster(arguments: &ClusterArguments) -> ExitCode {
    let rows = cluster::rows(&arguments.only);
    if arguments.list {
        for row in rows {
            println!("{:28} {}", row.name, row.expected);
        }
        return ExitCode::SUCCESS;
    }
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let report = cluster::run(rows, &arguments.logs, |tried| println!("{tried}"));
    finish(&report, &report.json(), report.is_good(), &arguments.json)
}

impl Arguments {
    /// The cells to run, with their seeds.
    fn cells(&self) -> Vec<(Cell, u64)> {
        if let Some(seed) = self.seed {
            return chaos::of_seed(seed).map(|cell| (cell, seed)).into_iter().collect();
        }
        let wanted = |cell: &Cell| self.only.is_empty() || self.only.iter().any(|text| cell.name().contains(text));
        let cells = chaos::cells().into_iter().filter(wanted);
        let seeded = cells.map(|cell| (chaos::seed(&cell, self.round), cell));
        seeded.map(|(seed, cell)| (cell, seed)).collect()
    }
}

/// Runs as many cells at a time as there are jobs, and tells of each that ends.
fn play(cells: Vec<(Cell, u64)>, jobs: usize, options: &Options) -> Vec<Verdict> {
    let total = cells.len();
    let (waiting, ended) = (Mutex::new(cells.into_iter()), Mutex::new(Vec::new()));
    let next = || waiting.lock().expect("cells don't panic").next();
    let job = || {
        while let Some((cell, seed)) = next() {
            let outcome = chaos::run(cell, seed, options);
            let mut ended = ended.lock().expect("cells don't panic");
            println!("{:3}/{total} {outcome}", ended.len() + 1);
            ended.push(outcome);
        }
    };
    std::thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(job))));
    ended.into_inner().expect("cells don't panic")
}

fn finish(text: &dyn Display, json: &Value, good: bool, file: &Path) -> ExitCode {
    println!("{text}");
    if let Some(folder) = file.parent() {
        // Where it cannot be made, writing says why.
        let _ = std::fs::create_dir_all(folder);
    }
    if let Err(error) = std::fs::write(file, format!("{json:#}\n")) {
        println!("{} cannot be written: {error}", file.display());
        return ExitCode::FAILURE;
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
