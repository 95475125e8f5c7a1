//! Who is told of what, in memory: an event that nobody wants costs nothing. Every process looks again every two seconds, and at once
//! where it has changed something itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::Url;
use sea_orm::{ConnectionTrait, EntityTrait};
use time::OffsetDateTime;
use tokio::sync::{Mutex, Notify, watch};
use tradewind_domain::Error;
use tradewind_sql::{db, micros};

use super::table::{Hidden, endpoint};

/// The most endpoints.
pub(crate) const MOST: usize = 100;

/// Somebody who is told.
pub(crate) struct Endpoint {
    pub(crate) id: String,
    pub(crate) url: Url,
    pub(crate) failing_since: Option<i64>,
    types: BTreeSet<String>,
    secret: Hidden,
    previous: Option<(Hidden, i64)>,
    /// Told where something is due that was not.
    pub(crate) due: Arc<Notify>,
}

impl Endpoint {
    /// What a request is signed with at that time: the present secret first.
    pub(crate) fn secrets(&self, now: OffsetDateTime) -> impl Iterator<Item = &Hidden> {
        let previous = self.previous.as_ref().filter(|(_, until)| micros(now) < *until);
        [&self.secret].into_iter().chain(previous.map(|(secret, _)| secret))
    }

    /// An endpoint as it is kept, where it is to be told.
    fn of(row: endpoint::Model, before: Option<&Self>) -> Option<Self> {
        let url = Url::parse(&row.url.0).ok().filter(|_| row.enabled)?;
        Some(Self {
            id: row.endpoint_id,
            url,
            failing_since: row.failing_since,
            types: row.event_types.split_ascii_whitespace().map(str::to_owned).collect(),
            secret: row.secret,
            previous: row.previous_secret.zip(row.previous_until),
            due: before.map(|before| Arc::clone(&before.due)).unwrap_or_default(),
        })
    }
}

/// Everybody who is told, as it was found.
#[derive(Default)]
pub(crate) struct Known {
    by_id: BTreeMap<String, Arc<Endpoint>>,
    by_type: BTreeMap<String, Vec<Arc<Endpoint>>>,
    /// How many there are that are not.
    pub(crate) disabled: usize,
}

impl Known {
    fn of(rows: Vec<endpoint::Model>, before: Option<&Self>) -> Self {
        let mut known = Self::default();
        for row in rows {
            let same = before.and_then(|before| before.by_id.get(&row.endpoint_id));
            let Some(endpoint) = Endpoint::of(row, same.map(Arc::as_ref)) else {
                known.disabled += 1;
                continue;
            };
            let endpoint = Arc::new(endpoint);
            for wanted in &endpoint.types {
                known.by_type.entry(wanted.clone()).or_default().push(Arc::clone(&endpoint));
            }
            known.by_id.insert(endpoint.id.clone(), endpoint);
        }
        known
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.by_id.values()
    }
}

/// What this process knows of them.
#[derive(Default)]
pub(crate) struct Endpoints {
    known: watch::Sender<Option<Arc<Known>>>,
    /// One look at a time, so that none is overtaken by one before.
    looking: Mutex<()>,
    /// The last place that was given away.
    place: AtomicI64,
}

impl Endpoints {
    /// Looks who there is.
    ///
    /// # Errors
    /// When the database fails; what was known before stays.
    pub(crate) async fn look(&self, connection: &impl ConnectionTrait) -> Result<Arc<Known>, Error> {
        let _alone = self.looking.lock().await;
        let rows = endpoint::Entity::find().all(connection).await.map_err(db)?;
        let known = Arc::new(Known::of(rows, self.known.borrow().as_deref()));
        self.known.send_replace(Some(Arc::clone(&known)));
        Ok(known)
    }

    /// Those who are told of events of a type, as far as this process knows. It looks itself where nobody has.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn wanting(
        &self,
        connection: &impl ConnectionTrait,
        type_name: &str,
    ) -> Result<Vec<Arc<Endpoint>>, Error> {
        let known = self.known.borrow().clone();
        let known = match known {
            Some(known) => known,
            None => self.look(connection).await?,
        };
        Ok(known.by_type.get(type_name).cloned().unwrap_or_default())
    }

    /// The endpoint, where it is told.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Endpoint>> {
        self.known.borrow().as_ref()?.by_id.get(id).cloned()
    }

    /// Changes whenever somebody has looked.
    pub(crate) fn changes(&self) -> watch::Receiver<Option<Arc<Known>>> {
        self.known.subscribe()
    }

    /// The place of what is told next: its time, and after every place before.
    pub(crate) fn next_place(&self, now: OffsetDateTime) -> i64 {
        let next = |last: i64| micros(now).max(last.saturating_add(1));
        let last = self.place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        next(last.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_is_given_away_twice_and_each_comes_after_the_last() {
        let (endpoints, now) = (Endpoints::default(), OffsetDateTime::UNIX_EPOCH + time::Duration::SECOND);
        let places = [now, now, OffsetDateTime::UNIX_EPOCH, now].map(|now| endpoints.next_place(now));
        assert_eq!(places, [1_000_000, 1_000_001, 1_000_002, 1_000_003]);
    }
}
