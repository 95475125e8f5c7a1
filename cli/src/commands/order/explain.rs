//! Why an order is where it is: one timeline out of all services, and what is awaited now.

mod show;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use anyhow::Result;
use shop::Clients;
use shop::explain::{awaited, gather, steps};

use crate::output::{document, say};

/// Shows the timeline of an order and what it waits for.
///
/// # Errors
/// What ordering refuses: an order that is unknown, or no id. A service that does not answer is told of, and is no error.
pub(in crate::commands) async fn run(shop: &Clients, order_id: &str, json: bool) -> Result<ExitCode> {
    let facts = gather(shop, order_id).await?;
    let steps = steps(&facts)?;
    let awaited = awaited(&facts, &steps);
    if json {
        document(&show::json(&facts, &steps, &awaited)?)?;
    } else {
        show::lines(&facts, &steps, &awaited).iter().try_for_each(|line| say!("{line}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
