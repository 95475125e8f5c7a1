//! Who is told of what, in memory: an event that nobody wants is not written down for anybody. Every process looks again every two
//! seconds, and at once where it has changed something itself; where it could not for longer, whoever handles an event looks.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Url;
use sea_orm::{ConnectionTrait, EntityTrait};
use time::OffsetDateTime;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tradewind_domain::Error;
use tradewind_sql::{db, micros};

use super::table::{Hidden, endpoint};

/// The most endpoints.
pub(crate) const MOST: usize = 100;
/// How old what is known may be where an event is handled.
const FRESH: Duration = Duration::from_secs(3);

/// Somebody who is told.
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    types: BTreeSet<String>,
    /// As it is kept.
    pub(crate) row: endpoint::Model,
    /// Told where something is due that was not.
    pub(crate) due: Arc<Notify>,
}

impl Endpoint {
    pub(crate) fn id(&self) -> &str {
        &self.row.endpoint_id
    }

    /// What a request is signed with at that time: the present secret first.
    pub(crate) fn secrets(&self, now: OffsetDateTime) -> impl Iterator<Item = &Hidden> {
        let until = self.row.previous_until.filter(|until| micros(now) < *until);
        [&self.row.secret].into_iter().chain(self.row.previous_secret.as_ref().filter(|_| until.is_some()))
    }

    /// An endpoint as it is kept, where it is to be told.
    fn of(row: endpoint::Model, before: Option<&Self>) -> Option<Self> {
        let url = Url::parse(&row.url.0).ok().filter(|_| row.enabled)?;
        let types = row.event_types.split_ascii_whitespace().map(str::to_owned).collect();
        let due = before.map(|before| Arc::clone(&before.due)).unwrap_or_default();
        Some(Self { url, types, row, due })
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
    /// Those of these rows; one that is as it was is the same.
    fn of(rows: Vec<endpoint::Model>, before: &Self) -> Self {
        let mut known = Self::default();
        for row in rows {
            let same = before.by_id.get(&row.endpoint_id);
            let endpoint = match same.filter(|same| same.row == row) {
                Some(same) => Some(Arc::clone(same)),
                None => Endpoint::of(row, same.map(Arc::as_ref)).map(Arc::new),
            };
            match endpoint {
                Some(endpoint) => known.add(endpoint),
                None => known.disabled += 1,
            }
        }
        known
    }

    fn add(&mut self, endpoint: Arc<Endpoint>) {
        for wanted in &endpoint.types {
            self.by_type.entry(wanted.clone()).or_default().push(Arc::clone(&endpoint));
        }
        self.by_id.insert(endpoint.id().to_owned(), endpoint);
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.by_id.values()
    }

    fn has(&self, endpoint: &Arc<Endpoint>) -> bool {
        self.by_id.get(endpoint.id()).is_some_and(|known| Arc::ptr_eq(known, endpoint))
    }

    fn is_as(&self, other: &Self) -> bool {
        self.by_id.len() == other.by_id.len() && self.disabled == other.disabled && self.all().all(|one| other.has(one))
    }
}

/// What a process has seen of them.
#[derive(Default)]
pub(crate) struct Seen {
    known: Arc<Known>,
    /// By which look.
    look: u64,
    /// When that began; never, where nobody has looked.
    at: Option<Instant>,
}

impl Seen {
    /// Takes in what a look has found, unless one that began later has ended before; whether anything is other than it was.
    fn take_in(&mut self, look: u64, at: Instant, rows: Vec<endpoint::Model>) -> bool {
        if look < self.look {
            return false;
        }
        let known = Known::of(rows, &self.known);
        let is_other = !known.is_as(&self.known);
        (self.known, self.look, self.at) = (Arc::new(known), look, Some(at));
        is_other
    }

    /// What is known, where that is not too old to go by.
    fn fresh(&self, now: Instant) -> Option<Arc<Known>> {
        let is_fresh = self.at.is_some_and(|at| now.saturating_duration_since(at) < FRESH);
        is_fresh.then(|| Arc::clone(&self.known))
    }
}

/// What this process knows of them.
#[derive(Default)]
pub(crate) struct Endpoints {
    seen: watch::Sender<Seen>,
    /// Looks that have begun.
    looks: AtomicU64,
    /// The last place that was given away.
    place: AtomicI64,
}

impl Endpoints {
    /// Looks who there is.
    ///
    /// # Errors
    /// When the database fails; what was known before stays.
    pub(crate) async fn look(&self, connection: &impl ConnectionTrait) -> Result<Arc<Known>, Error> {
        let (look, at) = (self.looks.fetch_add(1, Ordering::Relaxed) + 1, Instant::now());
        let rows = endpoint::Entity::find().all(connection).await.map_err(db)?;
        self.seen.send_if_modified(|seen| seen.take_in(look, at, rows));
        Ok(self.known())
    }

    /// Those who are told of events of a type. It looks itself where nobody has for too long.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn wanting(
        &self,
        connection: &impl ConnectionTrait,
        type_name: &str,
    ) -> Result<Vec<Arc<Endpoint>>, Error> {
        let fresh = self.seen.borrow().fresh(Instant::now());
        let known = match fresh {
            Some(known) => known,
            None => self.look(connection).await?,
        };
        Ok(known.by_type.get(type_name).cloned().unwrap_or_default())
    }

    /// All that are told, as far as this process knows.
    pub(crate) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.seen.borrow().known)
    }

    /// The endpoint, where it is told.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Endpoint>> {
        self.known().by_id.get(id).cloned()
    }

    /// Changes whenever any is other than it was.
    pub(crate) fn seen(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    /// Waits until an endpoint is other than it was, or told nothing more.
    pub(crate) async fn changes(&self, endpoint: &Arc<Endpoint>) {
        let mut seen = self.seen.subscribe();
        drop(seen.wait_for(|seen| !seen.known.has(endpoint)).await);
    }

    /// The place of what is told next: its time, and after every place before.
    pub(crate) fn next_place(&self, now: OffsetDateTime) -> i64 {
        let next = |last: i64| micros(now).max(last.saturating_add(1));
        let last = self.place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        next(last.unwrap_or_default())
    }
}
