//! `tradewind replay`: real sales through a system of its own. Products and prices become the
//! catalogue, invoices become orders in time order, returns cancel the order they match.

mod baseline;
mod plan;
mod play;
mod report;
mod rows;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

use crate::Global;
use crate::books;
use crate::local::{Layout, Postgres, SERVICES, System};
use crate::output::{complain, document, say};
use crate::shop::Shop;
use report::Report;

/// Plays real sales through a system of its own, and proves the books.
///
/// FILE is in the format of the public "Online Retail" data set (Daqing Chen, UCI Machine Learning
/// Repository, CC BY 4.0): a CSV file, gzipped or not, with the columns InvoiceNo, StockCode,
/// Description, Quantity, InvoiceDate, UnitPrice, CustomerID and Country.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The CSV file.
    file: PathBuf,
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

const READY_WITHIN: Duration = Duration::from_secs(30);
const BOOKS_WITHIN: Duration = Duration::from_secs(60);

pub(crate) async fn run(global: Global, args: Args) -> Result<ExitCode> {
    let rows = rows::read(&args.file)?;
    let plan = plan::plan(&rows.rows, args.orders.unwrap_or(usize::MAX));
    ensure!(!plan.orders.is_empty(), "{} holds no order", args.file.display());

    let mut layout = Layout::beside(&global.dir, "replay")?;
    if let Some(server) = &args.postgres {
        server.create(SERVICES.into_iter().chain([baseline::NAME])).await?;
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
    Ok(if played.surprises() == 0 && proof.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn play(system: &System, plan: &plan::Plan, args: &Args) -> Result<(play::Played, books::Proof)> {
    for name in system.names() {
        system.wait_ready(name, READY_WITHIN).await?;
    }
    let shop = Shop::of(system.layout(), "operator")?;
    let progress = bar("listing and stocking products", plan.products.len());
    let after = play::load(&shop, &plan.products, &progress).await?;
    progress.finish_and_clear();
    let progress = bar("settling orders", plan.orders.len());
    let played = play::play(&shop, plan, &after, usize::from(args.in_flight), &progress).await?;
    progress.finish_and_clear();
    let proof = books::settle(&shop, &system.layout().outside_url(), BOOKS_WITHIN).await?;
    Ok((played, proof))
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
