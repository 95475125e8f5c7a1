//! Builds projections anew: whenever a version was raised or an operator has asked for it, in one process at a time.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use time::OffsetDateTime;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_events::{Logs, forget_consumer};
use tradewind_replicas::Members;
use tradewind_replicas::tenure::{self, Turn};
use tradewind_sql::db;
use tradewind_store::Store;

use crate::pass::Pass;
use crate::standing::{PROJECTIONS, Standing, begin, fail, standings};
use crate::{Projection, Slot};

/// How long a slot stays as it was after another took its place: a query that looked before is over by then.
pub const REST: Duration = Duration::from_secs(10);
/// How often it is looked for what somebody else has asked for.
const POLL: Duration = Duration::from_secs(1);
/// What cannot be built is tried again so much later.
const AGAIN: Duration = Duration::from_secs(10);

/// Builds what is to be built of these projections until `stop`, whenever it is this process's turn. `logs` are where their events
/// are read; a slot stays as it was for a `rest` after another took its place, which is [`REST`] where queries are others'.
///
/// # Errors
/// None at present: what fails is shown, and tried again.
pub async fn build(
    store: Store,
    logs: Logs,
    members: Members,
    projections: Arc<[Projection]>,
    rest: Duration,
    stop: CancellationToken,
) -> Result<(), Error> {
    if projections.is_empty() {
        stop.cancelled().await;
        return Ok(());
    }
    let work = async |Turn { over, .. }| {
        let mut changed = store.subscribe(&PROJECTIONS);
        while !over.is_cancelled() {
            changed.mark_unchanged();
            let wait = match build_all(&store, &logs, &projections, rest, &over).await {
                Ok(Built::All) => timeout(POLL, changed.changed()).map(drop).boxed(),
                Ok(Built::Some) => sleep(AGAIN).boxed(),
                Err(error) => {
                    tracing::warn!(%error, "projections are not built; it is tried again");
                    sleep(POLL).boxed()
                }
            };
            over.run_until_cancelled(wait).await;
        }
        Ok(())
    };
    tenure::hold(&members, "projections", &stop, work).await
}

enum Built {
    All,
    /// But not those that cannot be built now.
    Some,
}

/// Builds all that are to be built, in one pass over their logs.
async fn build_all(
    store: &Store,
    logs: &Logs,
    projections: &[Projection],
    rest: Duration,
    over: &CancellationToken,
) -> Result<Built, Error> {
    let (mut pass, mut failed) = (Pass::new(store, logs), Vec::new());
    for standing in standings(store).await? {
        let Some(projection) = projections.iter().find(|projection| projection.name == standing.name) else { continue };
        let slot = standing.slot.other();
        let begun = match &standing.build {
            Some(build) if build.version == projection.version && standing.asked.is_none() => build.begun,
            _ if !is_wanted(&standing, projection) || !may_begin(store, &standing, rest) => continue,
            _ => {
                let begun = match empty(store, projection, slot).await {
                    Ok(Some(begun)) => begun,
                    Ok(None) => continue,
                    Err(error) => {
                        failed.push((projection.name, error));
                        continue;
                    }
                };
                tracing::info!(
                    projection = projection.name,
                    version = projection.version,
                    "a projection is built anew"
                );
                begun
            }
        };
        pass.add(projection, slot, begun).await?;
    }
    failed.extend(pass.run(over).await?);
    for (name, error) in &failed {
        tracing::error!(projection = name, reason = error.reason, %error, "a projection cannot be built; it is read as it was");
        fail(store, name, &format!("{}: {}", error.reason, error.message)).await?;
    }
    Ok(if failed.is_empty() { Built::All } else { Built::Some })
}

/// Whether there is anything to build: more than is read, or asked for.
fn is_wanted(standing: &Standing, projection: &Projection) -> bool {
    standing.asked.is_some() || standing.build.is_some() || standing.version < projection.version
}

fn may_begin(store: &Store, standing: &Standing, rest: Duration) -> bool {
    standing.since.is_none_or(|since| store.now() - since >= rest)
}

/// Empties a slot and begins to build there; when, unless somebody else was faster.
async fn empty(store: &Store, projection: &Projection, slot: Slot) -> Result<Option<OffsetDateTime>, Error> {
    let mut tx = store.begin().await?;
    if !begin(&mut tx, projection, slot).await? {
        return Ok(None);
    }
    forget_consumer(&tx, projection.consumer(slot)).await?;
    for own in &projection.tables {
        tradewind_sql::empty(tx.conn(), slot.table(own)).await.map_err(db)?;
    }
    if let Some(sink) = &projection.sink {
        // Not before it is certain that nobody else builds there.
        sink.clear(slot).await?;
    }
    let begun = tx.now();
    tx.commit().await?;
    Ok(Some(begun))
}
