//! The whole shop: `tradewind replay` plays sales through a system of its own, and tells how fast that was.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// What a replay tells.
#[derive(Deserialize)]
pub(crate) struct Replayed {
    pub(crate) settled_per_second: f64,
    pub(crate) single_insert_commits_per_second: f64,
    pub(crate) latency_ms: Latency,
    books_hold: bool,
}

/// From placing to settled, in milliseconds.
#[derive(Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
}

/// Replays `orders` of the sales in a file, with the services' databases on a PostgreSQL server where one is given.
pub(crate) fn replay(
    programs: &Path,
    folder: &Path,
    sales: &Path,
    orders: usize,
    postgres: Option<&str>,
) -> Result<Replayed> {
    let mut replay = Command::new(programs.join("tradewind"));
    replay.arg("--dir").arg(folder).args(["--json", "replay", "--orders", &orders.to_string()]).arg(sales);
    if let Some(server) = postgres {
        replay.args(["--postgres", server]);
    }
    let output = replay.stderr(Stdio::inherit()).output().context("cannot run `tradewind replay`")?;
    ensure!(output.status.success(), "`tradewind replay` failed: {}", String::from_utf8_lossy(&output.stdout));
    let replayed: Replayed = serde_json::from_slice(&output.stdout).context("`tradewind replay` told nothing")?;
    ensure!(replayed.books_hold, "the books do not hold");
    Ok(replayed)
}

/// Writes made-up sales: `orders` of one to five lines, three on average, out of 500 products.
pub(crate) fn make_up(folder: &Path, orders: usize) -> Result<PathBuf> {
    let mut csv = String::from("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n");
    for order in 0..orders {
        for line in 0..=order * 7 % 5 {
            let product = (order * 31 + line * 97) % 500;
            let pence = 50 + product;
            writeln!(
                csv,
                "{order},P{product},PRODUCT {product},{},2010-12-01 08:26:00,{}.{:02},{},United Kingdom",
                1 + (order + line) % 6,
                pence / 100,
                pence % 100,
                order % 400
            )?;
        }
    }
    let path = folder.join("sales.csv");
    std::fs::write(&path, csv)?;
    Ok(path)
}
