//! Which logs the consumers of this service read, and what is known of them: what a client can have seen, and so wait for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tradewind_domain::Error;
use uuid::Uuid;

use super::{MOST_PARTITIONS, Store};
use crate::token::{self, Place};

/// The most tokens that one request may name.
const MOST_TOKENS: usize = 16;

/// Consumers with their sources, and the logs of those sources.
#[derive(Default)]
pub(super) struct Sources(Mutex<Known>);

#[derive(Default)]
struct Known {
    read: BTreeSet<(String, String)>,
    logs: HashMap<String, Log>,
}

/// What a context's log is known to be.
#[derive(Clone, Copy)]
struct Log {
    incarnation: Uuid,
    partitions: u16,
}

impl Sources {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Says that `consumer` reads the log of `source`; the engine does so for every consumer it is given.
    pub fn will_read(&self, consumer: &str, source: &str) {
        self.sources().lock().read.insert((consumer.to_owned(), source.to_owned()));
    }

    /// Notes what the owner of a log says of it. Only of what is read anything is kept.
    pub fn note_log(&self, source: &str, incarnation: Uuid, partitions: u16) {
        let mut known = self.sources().lock();
        if known.read.iter().any(|(_, read)| read == source) {
            known.logs.insert(source.to_owned(), Log { incarnation, partitions });
        }
    }

    /// The furthest place in each partition that the tokens stand for.
    ///
    /// # Errors
    /// `Invalid` names the token that no write can have returned, or not one that this service can know of.
    pub(super) async fn places(&self, tokens: &[String]) -> Result<Vec<Place>, Error> {
        if tokens.len() > MOST_TOKENS {
            let text = format!("must be at most {MOST_TOKENS} tokens: the last of each log stands for all before it");
            let refused = Error::invalid("after", "TOO_MANY_POSITION_TOKENS", text);
            return Err(refused.with("limit", MOST_TOKENS.to_string()));
        }
        let mut furthest: BTreeMap<(String, u16), Place> = BTreeMap::new();
        for (index, token) in tokens.iter().enumerate() {
            let invalid = |reason, text| Error::invalid(format!("after[{index}]"), reason, text);
            let places = token::parse(token)
                .ok_or_else(|| invalid("POSITION_TOKEN_MALFORMED", "is not a token that a write returned"))?;
            for place in places {
                if let Some(why) = self.foreign(&place).await? {
                    return Err(invalid("POSITION_TOKEN_FOREIGN", why));
                }
                let known = furthest.entry((place.context.clone(), place.partition)).or_insert_with(|| place.clone());
                known.position = known.position.max(place.position);
            }
        }
        Ok(furthest.into_values().collect())
    }

    /// Tells whether a consumer reads the log of a context.
    pub(super) fn reads(&self, consumer: &str, source: &str) -> bool {
        self.sources().lock().read.contains(&(consumer.to_owned(), source.to_owned()))
    }

    /// Why a place is in no log that this service reads. Of a log that nobody has told of yet it cannot be known, nor how far
    /// another context's has grown.
    async fn foreign(&self, place: &Place) -> Result<Option<&'static str>, Error> {
        let own = place.context == self.context();
        let log = {
            let known = self.sources().lock();
            if !own && !known.read.iter().any(|(_, source)| *source == place.context) {
                return Ok(Some("is of a context that this service does not read"));
            }
            let own_log = Log { incarnation: self.incarnation(), partitions: self.partitions() };
            if own { Some(own_log) } else { known.logs.get(&place.context).copied() }
        };
        if log.zip(place.log).is_some_and(|(log, named)| token::log(log.incarnation) != named) {
            return Ok(Some("is of another log than the one that the context has now"));
        }
        if place.partition >= log.map_or(MOST_PARTITIONS, |log| log.partitions) {
            return Ok(Some("names a partition that the log does not have"));
        }
        if own && !self.has_grown_to(place.partition, place.position).await? {
            return Ok(Some("names a position that the log has not reached"));
        }
        Ok(None)
    }

    /// Whether a partition of the own log has a position. Where this process gives places, memory tells of what it has heard of: the
    /// database has them a moment before, and those that another process gives which holds the lease since.
    async fn has_grown_to(&self, partition: u16, position: u64) -> Result<bool, Error> {
        let known = self.tails().get(usize::from(partition)).and_then(super::Tail::sequenced);
        Ok(known.is_some_and(|head| position <= head) || position <= self.head(None, partition).await?)
    }
}
