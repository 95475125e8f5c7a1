//! `bench`: what Tradewind does on this machine beside what the machine can do, measured in one run.
//!
//! Absolute figures belong to the machine; what is held against a target is a ratio of two of one run.

#![expect(clippy::print_stdout, reason = "a command line speaks on standard output")]

mod building;
mod customers;
mod edge;
mod flow;
mod footprint;
mod lagging;
mod load;
mod loading;
mod machine;
mod mesh;
mod meter;
mod orders;
mod plain;
mod report;
mod shop;
mod toy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use supervisor::services;
use tokio::runtime::Runtime;
use tradewind_broker::{Retention, Streams};
use tradewind_mesh::IdentityFiles;
use tradewind_runtime::Settings;
use tradewind_testing::{Database, Nats, pki, scratch};

use flow::Flow;
use load::For;
use orders::{Build, Comparison, Plan};
use report::{Bound, Figure};

/// Measures Tradewind beside what this machine can do, in one run.
///
/// It starts brokers and databases of its own, in the folder for temporary files, and leaves nothing behind. Services are run by the
/// `tradewind` beside this program, unless another is named. Exits 0 whether or not a target is met.
///
/// Of orders, what counts is the work of services, broker and database server: the customers (this program) and the world outside
/// them are shown beside. Processor time is what the system tells of each process; syncs are PostgreSQL's of its log, and on SQLite
/// the transactions that wrote, each of which is one; statements are those of pg_stat_statements without BEGIN and COMMIT;
/// `published` and `delivered` are messages of streams, `broker in` and `out` all messages, with acknowledgements and requests.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Args {
    /// Print JSON for programs instead of a table for people.
    #[arg(long)]
    json: bool,
    /// Measure only this; may be given several times.
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// Leave PostgreSQL out.
    #[arg(long)]
    sqlite_only: bool,
    /// For how many seconds each rate is measured.
    #[arg(long, default_value_t = 3, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How many orders are on their way at a time, one figure a load.
    #[arg(long, default_value = "1,16,256", value_name = "NUMBERS", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    in_flight: Vec<u16>,
    /// From how many orders a read model is built.
    #[arg(long, default_value_t = 100_000, value_name = "ORDERS", value_parser = clap::value_parser!(u32).range(1..))]
    built: u32,
    /// The folder with the `tradewind` to measure.
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
    /// A folder with that of another build, to compare orders with: they are measured in turn.
    #[arg(long, value_name = "FOLDER")]
    against: Option<PathBuf>,
    /// How many times orders are measured with each build.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    rounds: u8,
    /// Leave SQLite out.
    #[arg(long, conflicts_with = "sqlite_only")]
    postgres_only: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What broker and database do without us.
    Machine,
    /// Events from a commit in one service to a committed effect in another.
    Events,
    /// An aggregate that is in nobody's memory, of a short stream and of a long one.
    Loading,
    /// A read model that is built from the log, and a second one in the same pass.
    Building,
    /// How far a read model is behind its events, at half of the load that it keeps up with.
    Lagging,
    /// Orders through the whole shop.
    Orders,
    /// Orders while traces are exported and none is sampled, beside orders while none are.
    Telemetry,
    /// A call through the mesh beside one of bare tonic over mTLS.
    Mesh,
    /// REST through the gateway beside grpc-gateway, and beside a call to the service itself.
    Edge,
    /// Start and idle memory of each service, and the size of the program that is all of them.
    Footprint,
}

/// Events a transaction.
const BATCHES: [usize; 4] = [1, 8, 64, 256];

const PUBLISH_AND_COMMIT: &str = "p99 of one commit and one publication";
const PLAIN_SQL: &str = "plain SQL";
const SINGLE_COMMITS: &str = "single-insert commits";

/// A database that everything is measured on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Sqlite,
    Postgres,
}

impl On {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite FULL",
            Self::Postgres => "PostgreSQL",
        }
    }

    fn database(self) -> Database {
        match self {
            Self::Sqlite => Database::sqlite(),
            Self::Postgres => Database::postgres(),
        }
    }
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    // Already installed is as good as installed now.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bench = Bench::new(args)?;
    // A store that is dropped gives its connections back, which needs a runtime.
    let _context = bench.runtime.enter();
    let (mut figures, mut comparisons) = (Vec::new(), Vec::new());
    for part in Part::value_variants() {
        if bench.args.only.is_empty() || bench.args.only.contains(part) {
            match part {
                Part::Machine => bench.machine(&mut figures)?,
                Part::Events => bench.events(&mut figures)?,
                Part::Loading => bench.loading(&mut figures)?,
                Part::Building => bench.building(&mut figures)?,
                Part::Lagging => bench.lagging(&mut figures)?,
                Part::Orders => comparisons.extend(bench.orders()?),
                Part::Telemetry => comparisons.extend(bench.telemetry()?),
                Part::Mesh => bench.mesh(&mut figures)?,
                Part::Edge => bench.edge(&mut figures)?,
                Part::Footprint => bench.footprint(&mut figures)?,
            }
        }
    }
    if bench.args.json {
        let all = serde_json::json!({ "figures": figures, "orders": comparisons });
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        figures.iter().for_each(|figure| println!("{}", figure.line()));
        comparisons.iter().flat_map(Comparison::lines).for_each(|line| println!("{line}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What every part measures with.
struct Bench {
    args: Args,
    runtime: Runtime,
    time: For,
    programs: PathBuf,
}

impl Bench {
    fn new(args: Args) -> Result<Self> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let beside = program.parent().context("this program is in no folder")?.to_owned();
        let programs = args.programs.clone().unwrap_or(beside);
        let time = For(Duration::from_secs(args.seconds));
        Ok(Self { args, runtime: Runtime::new()?, time, programs })
    }

    fn databases(&self) -> impl Iterator<Item = On> {
        [On::Sqlite, On::Postgres].into_iter().filter(|on| match on {
            On::Sqlite => !self.args.postgres_only,
            On::Postgres => !self.args.sqlite_only,
        })
    }

    fn machine(&self, figures: &mut Vec<Figure>) -> Result<()> {
        let nats = Nats::start();
        progress("publishing");
        let rate = self.runtime.block_on(machine::publications(&nats, self.time))?;
        figures.push(Figure::new("JetStream publications acknowledged, with ids", None, rate, "/s"));
        for on in self.databases() {
            progress(&format!("single-insert commits, {}", on.name()));
            let database = on.database();
            let rate = self.runtime.block_on(machine::commits(&database.url(), self.time))?;
            figures.push(Figure::new(SINGLE_COMMITS, Some(on.name()), rate, "/s"));
        }
        Ok(())
    }

    fn events(&self, figures: &mut Vec<Figure>) -> Result<()> {
        for on in self.databases() {
            let streams =
                Streams::new(Retention::default()).of(toy::BANK, []).of(toy::AUDIT, [(toy::AUDIT, toy::BANK)]);
            let (nats, database) = (Nats::start().keeping(streams, None), on.database());
            let least = self.runtime.block_on(machine::commit_and_publish(&database.url(), &nats, self.time))?;
            let least = milliseconds(&least, 0.99);
            figures.push(Figure::new(PUBLISH_AND_COMMIT, Some(on.name()), least, "ms"));
            for batch in BATCHES {
                progress(&format!("events, {batch} a transaction, {}", on.name()));
                self.events_of(on, batch, least, &nats, figures)?;
            }
        }
        Ok(())
    }

    fn events_of(&self, on: On, batch: usize, least: f64, nats: &Nats, figures: &mut Vec<Figure>) -> Result<()> {
        let plain = [on.database(), on.database()];
        let plain = self.runtime.block_on(async {
            let [bank, audit] = plain.each_ref().map(Database::url);
            drop((toy::open(&bank, toy::BANK).await?, toy::open(&audit, toy::AUDIT).await?));
            plain::events_per_second(&bank, &audit, batch, self.time).await
        })?;
        let mut flow = Flow::start([on.database(), on.database()], nats)?;
        let measured = flow.measure(batch, self.time)?;
        flow.finish()?;
        let named = |what: &str| format!("{what}, {batch} a transaction");
        let on = Some(on.name());
        figures.push(Figure::new(named("events by plain SQL"), on, plain, "/s"));
        figures.push(Figure::new(named("events from commit to effect"), on, measured.sustained, "/s").against(
            plain,
            PLAIN_SQL,
            Bound::AtLeast(0.5),
        ));
        figures.push(Figure::new(
            named("commit to effect at half load, p50"),
            on,
            milliseconds(&measured.at_half, 0.5),
            "ms",
        ));
        figures.push(
            Figure::new(named("commit to effect at half load, p99"), on, milliseconds(&measured.at_half, 0.99), "ms")
                .against(least, PUBLISH_AND_COMMIT, Bound::AtMost(20.0)),
        );
        Ok(())
    }

    fn loading(&self, figures: &mut Vec<Figure>) -> Result<()> {
        for on in self.databases() {
            progress(&format!("loading, {}", on.name()));
            figures.extend(self.runtime.block_on(loading::figures(&on.database(), on.name(), self.time))?);
        }
        Ok(())
    }

    fn building(&self, figures: &mut Vec<Figure>) -> Result<()> {
        for on in self.databases() {
            progress(&format!("building from {} orders, {}", self.args.built, on.name()));
            figures.extend(self.runtime.block_on(building::figures(&on.database(), on.name(), self.args.built))?);
        }
        Ok(())
    }

    fn lagging(&self, figures: &mut Vec<Figure>) -> Result<()> {
        for on in self.databases() {
            progress(&format!("lagging, {}", on.name()));
            let streams = Streams::new(Retention::default()).of("ordering", []);
            let (nats, database) = (Nats::start().keeping(streams, None), on.database());
            figures.extend(self.runtime.block_on(lagging::figures(&database, &nats, on.name(), self.time))?);
        }
        Ok(())
    }

    fn orders(&self) -> Result<Vec<Comparison>> {
        let mut builds: Vec<_> = self.args.against.iter().map(|programs| build("against", programs)).collect();
        builds.push(build("this", &self.programs));
        self.compared(&builds)
    }

    /// Nobody answers where spans would go to: none is made.
    fn telemetry(&self) -> Result<Vec<Comparison>> {
        let told = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("TRADEWIND_TRACE_RATIO", "0")];
        let told = told.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let unsampled = Build { told, ..build("unsampled", &self.programs) };
        self.compared(&[build("off", &self.programs), unsampled])
    }

    fn compared(&self, builds: &[Build]) -> Result<Vec<Comparison>> {
        let in_flight = self.args.in_flight.iter().map(|number| usize::from(*number)).collect();
        let plan = Plan { in_flight, time: self.time.0 };
        let compared = self
            .databases()
            .map(|on| self.runtime.block_on(orders::compare(builds, on, &plan, self.args.rounds.into())));
        compared.collect()
    }

    fn mesh(&self, figures: &mut Vec<Figure>) -> Result<()> {
        progress("calls through the mesh");
        let pki = pki(&[mesh::CLIENT, mesh::SERVER, mesh::OVERLOADED, mesh::OPERATOR]);
        install_telemetry(pki.path());
        figures.extend(mesh::figures(pki.path(), self.time)?);
        Ok(())
    }

    fn edge(&self, figures: &mut Vec<Figure>) -> Result<()> {
        progress("calls through the edge");
        let pki = pki(&edge::WHO);
        install_telemetry(pki.path());
        figures.extend(edge::figures(&self.programs, pki.path(), self.time)?);
        Ok(())
    }

    fn footprint(&self, figures: &mut Vec<Figure>) -> Result<()> {
        let (nats, pki, folder) = (Nats::start_for_services(), pki(&services::names()), scratch());
        let found = footprint::figures(&self.programs, folder.path(), pki.path(), &nats);
        figures.extend(self.runtime.block_on(found)?);
        Ok(())
    }
}

fn build(name: &str, programs: &Path) -> Build {
    Build { name: name.to_owned(), programs: programs.to_owned(), told: BTreeMap::new() }
}

/// Has calls observed as services have them.
fn install_telemetry(credentials: &Path) {
    let mut settings = Settings::in_process(IdentityFiles::in_dir(credentials, mesh::CLIENT), "", "");
    "info".clone_into(&mut settings.log);
    tradewind_runtime::install_telemetry("bench", &settings);
}

fn progress(what: &str) {
    eprintln!("{what}");
}

fn milliseconds(micros: &hdrhistogram::Histogram<u64>, quantile: f64) -> f64 {
    f64::from(u32::try_from(micros.value_at_quantile(quantile)).unwrap_or(u32::MAX)) / 1000.0
}
