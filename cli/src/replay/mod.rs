//! `tradewind replay`: real sales through a system of its own. Products and prices become the
//! catalogue, invoices become orders in time order, returns cancel the order they match.

mod baseline;
mod plan;
mod play;
mod report;
pub(crate) mod rows;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use supervisor::services;
use tokio::sync::mpsc;

use crate::Global;
use crate::clients;
use crate::local::{Layout, Postgres, System};
use crate::output::{complain, document, say};
use report::Report;

/// Plays real sales through a system of its own, and proves the books.
///
/// FILE has the columns of the public "Online Retail" data sets (Daqing Chen, UCI Machine Learning Repository, CC BY 4.0):
/// InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID and Country, or the names that the second
/// gives them. It is a workbook (every sheet with these columns is read) or text in UTF-8, UTF-16 or Windows-1252 whose fields
/// are separated by commas, semicolons, tabs or bars; gzipped, or alone in a zip, or neither.
///
/// In which order a date's numbers are, and whether a fraction begins with point or comma, is told from all rows together; a
/// file that does not tell is refused. A row that is no sale or cannot be one is passed over and counted. Exits 65 where more
/// than 5 % of the rows are malformed, 1 where an order did not end as planned or the books do not hold.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    dialect: rows::Dialect,
    /// Play only the first so many orders.
    #[arg(long, value_name = "NUMBER")]
    orders: Option<usize>,
    /// How many orders may be unsettled at a time.
    #[arg(long, default_value_t = 256, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    in_flight: u16,
    /// Keep the services' databases on this PostgreSQL server, postgres://user@host:port, instead of in SQLite files.
    /// They are called tradewind_replay_SERVICE and made anew.
    #[arg(long, value_name = "URL")]
    postgres: Option<Postgres>,
}

/// Exit code of a file with more malformed rows than a slip here and there (`EX_DATAERR`).
const MALFORMED: u8 = 65;
const READY_WITHIN: Duration = Duration::from_secs(30);
const BOOKS_WITHIN: Duration = Duration::from_secs(60);

pub(crate) async fn run(global: Global, args: Args) -> Result<ExitCode> {
    let rows = rows::read(&args.file, args.dialect)?;
    let malformed = rows.complaint().map(|complaint| format!("tradewind: {}: {complaint}", args.file.display()));
    let plan = plan::plan(&rows.rows, args.orders.unwrap_or(usize::MAX));
    if let (true, Some(complaint)) = (plan.orders.is_empty(), &malformed) {
        complain(complaint);
        return Ok(ExitCode::from(MALFORMED));
    }
    ensure!(!plan.orders.is_empty(), "{} holds no order in its {} rows", args.file.display(), rows.read);

    let mut layout = Layout::beside(&global.dir, "replay")?;
    if let Some(server) = &args.postgres {
        server.create(services::names().into_iter().chain([baseline::NAME])).await?;
        layout = layout.on_postgres(server.clone());
    }
    let commits = baseline::commits_per_second(&layout, args.postgres.as_ref()).await?;
    let (sender, mut notices) = mpsc::unbounded_channel();
    let system = System::start(layout, &[], true, sender)?;
    let played = tokio::select! {
        played = play(&system, &plan, &args) => played,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    system.stop().await;
    while let Ok(notice) = notices.try_recv() {
        complain(&format!("{}: {}", notice.process, notice.text));
    }
    let (played, proof) = played?;
    let report = Report {
        rows: &rows,
        plan: &plan,
        played: &played,
        proof: &proof,
        commits_per_second: commits,
        commits_in: if args.postgres.is_some() { "PostgreSQL" } else { "SQLite, synchronous=FULL" },
    };
    if global.json {
        document(&report.json())?;
    } else {
        report.lines().iter().try_for_each(|line| say!("{line}"))?;
    }
    if let Some(complaint) = &malformed {
        complain(complaint);
    }
    Ok(match malformed {
        _ if played.surprises() > 0 || !proof.holds() => ExitCode::FAILURE,
        Some(_) => ExitCode::from(MALFORMED),
        None => ExitCode::SUCCESS,
    })
}

/// Orders that are followed at once on one connection: fewer than the streams that a service lets one have.
const ON_A_CONNECTION: u16 = 50;

async fn play(system: &System, plan: &plan::Plan, args: &Args) -> Result<(play::Played, books::Proof)> {
    for name in system.names() {
        system.wait_ready(name, READY_WITHIN).await?;
    }
    // A connection carries only so many streams.
    let connections = args.in_flight.div_ceil(ON_A_CONNECTION).max(1);
    let shops = (0..connections).map(|_| clients::of(system.layout(), "operator")).collect::<Result<Vec<_>>>()?;
    let shop = &shops[0];
    let progress = bar("listing and stocking products", plan.products.len());
    let after = play::load(shop, &plan.products, &progress).await?;
    progress.finish_and_clear();
    let progress = bar("settling orders", plan.orders.len());
    let played = play::play(&shops, plan, &after, usize::from(args.in_flight), &progress).await?;
    progress.finish_and_clear();
    let outside = books::Statements::at(system.layout().outside_url())?;
    Ok((played, books::Sources::new(shop.channels().clone(), outside).settle(BOOKS_WITHIN).await?))
}

/// A bar on a terminal; a line at the start elsewhere.
fn bar(what: &'static str, length: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        complain(&format!("{what}: {length}"));
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX)).with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}  {per_sec}") {
        bar.set_style(style);
    }
    bar
}
