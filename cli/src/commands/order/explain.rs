//! Why an order is where it is: one timeline out of all services, and what is awaited now. `facts` asks the services, `steps` puts
//! what they say in order, `awaited` finds what has not followed yet; the last two ask nobody.

mod awaited;
mod facts;
mod show;
mod steps;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use anyhow::Result;

use crate::clients::Clients;
use crate::output::{document, say};

/// What keeps a service from what has to follow an event.
pub(in crate::commands) struct Held {
    /// The service whose turn it is.
    pub(in crate::commands) from: String,
    /// What keeps it.
    pub(in crate::commands) why: String,
    /// The command that would help; absent where it is just not due.
    pub(in crate::commands) command: Option<String>,
}

/// What keeps an order, of which an event of that name waits: of what has to follow that, or of what it has led to.
///
/// # Errors
/// As of [`run`].
pub(in crate::commands) async fn held(shop: &Clients, order_id: &str, event: &str) -> Result<Vec<Held>> {
    let facts = facts::gather(shop, order_id).await?;
    let awaited = awaited::awaited(&facts, &steps::steps(&facts)?);
    let is_of = |one: &&awaited::Awaited| event.rsplit('.').next() == Some(one.after.as_str());
    let any = awaited.iter().any(|one| is_of(&one));
    let these = awaited.iter().filter(|one| !any || is_of(one));
    let held = |one: &awaited::Awaited| {
        let awaited::Awaited { from, why, command, .. } = one.clone();
        Held { from, why, command }
    };
    Ok(these.map(held).collect())
}

/// Shows the timeline of an order and what it waits for.
///
/// # Errors
/// What ordering refuses: an order that is unknown, or no id. A service that does not answer is told of, and is no error.
pub(in crate::commands) async fn run(shop: &Clients, order_id: &str, json: bool) -> Result<ExitCode> {
    let facts = facts::gather(shop, order_id).await?;
    let steps = steps::steps(&facts)?;
    let awaited = awaited::awaited(&facts, &steps);
    if json {
        document(&show::json(&facts, &steps, &awaited)?)?;
    } else {
        show::lines(&facts, &steps, &awaited).iter().try_for_each(|line| say!("{line}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
