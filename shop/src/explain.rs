//! Why an order is where it is: what happened, out of all services, and what is awaited now. `facts` asks the services, `steps` puts
//! what they say in order, `awaited` finds what has not followed yet; the last two ask nobody.

mod awaited;
mod facts;
mod remedy;
mod steps;

use anyhow::Result;

pub use self::awaited::{Awaited, awaited};
pub use self::facts::{Facts, Said, gather};
pub use self::remedy::Remedy;
pub use self::steps::{Happened, Reached, Reader, Step, What, steps};
use crate::Clients;

/// What keeps a service from what has to follow an event.
pub struct Held {
    /// The service whose turn it is.
    pub from: String,
    /// What keeps it.
    pub why: String,
    /// What would help; absent where it is just not due.
    pub remedy: Option<Remedy>,
}

/// What keeps an order, of which an event of that name waits: of what has to follow that, or of what it has led to.
///
/// # Errors
/// As of [`gather`].
pub async fn held(shop: &Clients, order_id: &str, event: &str) -> Result<Vec<Held>> {
    let facts = gather(shop, order_id).await?;
    let awaited = awaited(&facts, &steps(&facts)?);
    let is_of = |one: &&Awaited| event.rsplit('.').next() == Some(one.after.as_str());
    let any = awaited.iter().any(|one| is_of(&one));
    let these = awaited.iter().filter(|one| !any || is_of(one));
    let held = |one: &Awaited| {
        let Awaited { from, why, remedy, .. } = one.clone();
        Held { from, why, remedy }
    };
    Ok(these.map(held).collect())
}
