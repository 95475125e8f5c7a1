//! How queries find what they read.

use std::time::Duration;

use tokio::time::Instant;
use tradewind_domain::Error;
use tradewind_sql::Moment;
use tradewind_store::{Recorded, Store};

use crate::{Slot, standing};

/// How long a slot is waited for before somebody looks whether it is still the one that is read.
const LOOK: Duration = Duration::from_millis(250);

/// Where the projection `name` is read from now. It stays there, and complete, for some time after another took its place: longer
/// than a query takes.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn read(store: &Store, name: &str) -> Result<Slot, Error> {
    standing::slot(store, name).await
}

/// The same once it has seen everything that the tokens `after` stand for, as [`Store::wait_for`] waits.
///
/// # Errors
/// Those of [`Store::wait_for`].
pub async fn seen(store: &Store, name: &str, after: &[String], patience: Duration) -> Result<Slot, Error> {
    let deadline = Instant::now() + patience;
    loop {
        let slot = standing::slot(store, name).await?;
        let left = deadline.saturating_duration_since(Instant::now());
        match store.wait_for(&slot.consumer(name), after, left.min(LOOK)).await {
            Err(error) if error.reason == NOT_REACHED => {
                if left.is_zero() {
                    return Err(error.with("waited_ms", patience.as_millis().to_string()));
                }
            }
            waited => return waited.map(|()| slot),
        }
    }
}

/// Where the projection `name` is read at a `moment`, and which events of this service's own log its rows do not show there: whoever
/// adds those knows of everything that is committed then, however far behind the projection is. For one of own events alone.
///
/// # Errors
/// `Unavailable` when the database is, and with reason `PROJECTION_BEHIND` when it is more than a thousand events behind.
pub async fn read_at(store: &Store, moment: &Moment<'_>, name: &str) -> Result<(Slot, Vec<Recorded>), Error> {
    let slot = standing::slot_at(moment, name).await?;
    let unseen = store.unhandled(moment, &slot.consumer(name), MOST_UNSEEN).await?;
    let behind = || {
        let text = format!("{name} is more than {MOST_UNSEEN} events behind: see how far it has read, and try again");
        Error::unavailable("PROJECTION_BEHIND", text).with("projection", name.to_owned())
    };
    Ok((slot, unseen.ok_or_else(behind)?))
}

/// How many events a moment may be ahead of what is read there.
const MOST_UNSEEN: usize = 1_000;
const NOT_REACHED: &str = "POSITION_NOT_REACHED";
