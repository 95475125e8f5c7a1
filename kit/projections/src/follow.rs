//! Which slots are read, as this process last saw it, so that only they are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_events::Paused;
use tradewind_store::Store;

use crate::metrics::metrics;
use crate::standing::{PROJECTIONS, note};
use crate::{Projection, Slot};

/// How often what other replicas have done is looked for.
const POLL: Duration = Duration::from_secs(1);
/// On a database file only an operator's tool could be another process.
const SLOW_POLL: Duration = Duration::from_secs(5);

/// The slot of each projection that is read; `None` before this process has looked.
pub type Served = Option<BTreeMap<&'static str, Slot>>;

/// Notes these projections, and tells which of their slots are read, until `stop`. Where the database cannot be asked, what was
/// seen last stays.
///
/// # Errors
/// None at present.
pub async fn follow(
    store: Store,
    projections: Arc<[Projection]>,
    served: watch::Sender<Served>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let poll = if store.is_shared() { POLL } else { SLOW_POLL };
    let mut changed = store.subscribe(&PROJECTIONS);
    while !stop.is_cancelled() {
        changed.mark_unchanged();
        match look(&store, &projections).await {
            Ok(now) => {
                served.send_if_modified(|served| served.replace(now.clone()).as_ref() != Some(&now));
            }
            Err(error) => tracing::warn!(%error, "projections cannot be looked for"),
        }
        // Whether anything changed or not, it is time to look.
        let _ = stop.run_until_cancelled(tokio::time::timeout(poll, changed.changed())).await;
    }
    Ok(())
}

async fn look(store: &Store, projections: &[Projection]) -> Result<BTreeMap<&'static str, Slot>, Error> {
    if projections.is_empty() {
        return Ok(BTreeMap::new());
    }
    let standings = note(store, projections).await?;
    let standing = |projection: &Projection| {
        let standing = standings.iter().find(|standing| standing.name == projection.name)?;
        let attributes = [KeyValue::new("projection", projection.name)];
        metrics().version.record(standing.version.into(), &attributes);
        metrics().building.record(standing.build.is_some().into(), &attributes);
        metrics()
            .failing
            .record(standing.build.as_ref().is_some_and(|build| build.failure.is_some()).into(), &attributes);
        Some((projection.name, standing.slot))
    };
    Ok(projections.iter().filter_map(standing).collect())
}

/// Tells which consumers have to rest until `stop`: those that are `paused`, whichever slot of a projection they keep, and those
/// of the slots that are not `served`.
///
/// # Errors
/// None at present.
pub async fn resting(
    projections: Arc<[Projection]>,
    mut paused: watch::Receiver<Paused>,
    mut served: watch::Receiver<Served>,
    resting: watch::Sender<Paused>,
    stop: CancellationToken,
) -> Result<(), Error> {
    while !stop.is_cancelled() {
        let now = rests(&projections, paused.borrow_and_update().as_ref(), served.borrow_and_update().as_ref());
        resting.send_if_modified(|resting| {
            let changes = *resting != now;
            *resting = now;
            changes
        });
        let changed = async {
            tokio::select! {
                changed = paused.changed() => changed,
                changed = served.changed() => changed,
            }
        };
        if !matches!(stop.run_until_cancelled(changed).await, Some(Ok(()))) {
            break;
        }
    }
    Ok(())
}

fn rests(
    projections: &[Projection],
    paused: Option<&BTreeSet<String>>,
    served: Option<&BTreeMap<&'static str, Slot>>,
) -> Paused {
    let (paused, served) = (paused?, served?);
    let resting = projections.iter().flat_map(|projection| {
        let read = served.get(projection.name).copied().unwrap_or_default();
        let both = [read, read.other()].map(|slot| projection.consumer(slot));
        // Whoever has paused it meant it, whichever slot is read by now.
        let resting = if both.iter().any(|consumer| paused.contains(*consumer)) { &both[..] } else { &both[1..] };
        resting.iter().map(ToString::to_string).collect::<Vec<_>>()
    });
    Some(paused.iter().cloned().chain(resting).collect())
}
