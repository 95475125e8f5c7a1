//! The keys of subjects as this process knows them, and what they open.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::Value;
use tradewind_domain::Error;
use tradewind_sql::{Transaction, db, padded, statement};

use super::Store;
use crate::Recorded;
use crate::seal::{Envelope, Key, Show};

/// For how long a key that was read is believed to be there still: after that, nothing opens what is erased.
pub(crate) const BELIEVED: Duration = Duration::from_secs(10);
/// How many are remembered.
const MOST: usize = 4096;
/// How many are asked for at a time.
const TOGETHER: usize = 256;
/// What begins a text that is sealed.
const TEXT: &str = "\u{7}";

/// A subject's key; `None` where it was destroyed.
pub(crate) type Kept = Option<Key>;

/// What a store has to know to seal events.
#[derive(Clone, Copy, Debug)]
pub struct Sealing {
    /// What of an event may be known to everybody. What is more is about the subject after which the event is partitioned.
    pub show: Show,
    /// A database from before there were seals begins to seal; one that is new does from its birth. A build before cannot read
    /// what is sealed.
    pub begins: bool,
}

/// What came of opening something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It is whole.
    Whole(Vec<u8>),
    /// Its subject was erased: what everybody may know of it.
    Erased(Vec<u8>),
}

/// What is remembered of keys.
#[derive(Default)]
pub(crate) struct Keys(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Another one after everything was forgotten.
    era: u64,
    keys: HashMap<String, (Instant, Kept)>,
    /// Subjects for which a key was made that somebody else had made before.
    doubted: HashSet<String>,
}

impl Keys {
    /// The key, as it was read a moment ago.
    pub(crate) fn get(&self, subject: &str) -> Option<Kept> {
        let known = self.known();
        known.keys.get(subject).filter(|(since, _)| since.elapsed() < BELIEVED).map(|(_, key)| key.clone())
    }

    /// What is read from now on is of this era.
    pub(crate) fn era(&self) -> u64 {
        self.known().era
    }

    /// Remembers what the database had in `era`, unless that is over.
    pub(crate) fn put(&self, era: u64, subject: &str, key: Kept) {
        let mut known = self.known();
        if known.era != era {
            return;
        }
        if known.keys.len() >= MOST {
            known.keys.retain(|_, (since, _)| since.elapsed() < BELIEVED);
        }
        if known.keys.len() >= MOST {
            known.keys.clear();
        }
        known.keys.insert(subject.to_owned(), (Instant::now(), key));
    }

    /// Whether the database has to be asked before a key is made.
    pub(crate) fn is_doubted(&self, subject: &str) -> bool {
        self.known().doubted.contains(subject)
    }

    /// Keys for these subjects were made, and whether they are in the database nobody knows.
    pub(crate) fn doubt<'a>(&self, subjects: impl Iterator<Item = &'a String>) {
        let mut known = self.known();
        if known.doubted.len() >= MOST {
            known.doubted.clear();
        }
        known.doubted.extend(subjects.cloned());
    }

    /// Forgets what is remembered of one.
    pub(crate) fn forget(&self, subject: &str) {
        self.known().keys.remove(subject);
    }

    /// Forgets everything, and begins another era.
    pub(crate) fn clear(&self) {
        let mut known = self.known();
        *known = Known { era: known.era + 1, ..Known::default() };
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Whether what is about somebody is sealed as it is written.
    #[must_use]
    pub fn seals(&self) -> bool {
        self.0.seals
    }

    /// What of an event may be known to everybody; `None` where that is all of it.
    pub(crate) fn shown(&self, type_name: &str, payload: &[u8]) -> Option<Vec<u8>> {
        let shown = (self.0.show?)(type_name, payload);
        (shown.len() < payload.len()).then_some(shown)
    }

    /// Opens what [`Tx::seal`](crate::Tx::seal) has sealed; what is not sealed is whole.
    ///
    /// # Errors
    /// `Unavailable` when the database is; `Internal` where something is not what was sealed, or a key is missing.
    pub async fn open_sealed(&self, kept: Vec<Vec<u8>>) -> Result<Vec<Opened>, Error> {
        self.opened(None, kept).await
    }

    /// Opens a text that [`Tx::seal_text`](crate::Tx::seal_text) has sealed; `None` where its subject was erased.
    ///
    /// # Errors
    /// As [`open_sealed`](Self::open_sealed).
    pub async fn open_text(&self, kept: &str) -> Result<Option<String>, Error> {
        Ok(self.open_texts(vec![kept.to_owned()]).await?.pop().flatten())
    }

    /// The same of several at once.
    ///
    /// # Errors
    /// As [`open_sealed`](Self::open_sealed).
    pub async fn open_texts(&self, kept: Vec<String>) -> Result<Vec<Option<String>>, Error> {
        self.open_texts_within(None, kept).await
    }

    /// The same, as a transaction sees their keys where one is given.
    pub(crate) async fn open_texts_within(
        &self,
        within: Option<&Transaction>,
        kept: Vec<String>,
    ) -> Result<Vec<Option<String>>, Error> {
        let opened = self.opened(within, kept.into_iter().map(untext).collect::<Result<_, _>>()?).await?;
        let text = |opened| match opened {
            Opened::Whole(bytes) => String::from_utf8(bytes).map(Some).map_err(Error::internal),
            Opened::Erased(_) => Ok(None),
        };
        opened.into_iter().map(text).collect()
    }

    /// Opens payloads, as a transaction sees their keys where one is given.
    pub(crate) async fn opened(&self, within: Option<&Transaction>, kept: Vec<Vec<u8>>) -> Result<Vec<Opened>, Error> {
        self.opened_each(within, kept).await?.into_iter().collect()
    }

    /// The same of each by itself, so that one that cannot be opened keeps no other.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn open_each(&self, kept: Vec<Vec<u8>>) -> Result<Vec<Result<Opened, Error>>, Error> {
        self.opened_each(None, kept).await
    }

    async fn opened_each(
        &self,
        within: Option<&Transaction>,
        kept: Vec<Vec<u8>>,
    ) -> Result<Vec<Result<Opened, Error>>, Error> {
        let subjects = kept.iter().filter_map(|bytes| Envelope::of(bytes)).map(|envelope| envelope.subject.to_owned());
        let keys = self.keys_of(within, subjects.collect()).await?;
        let opened = |bytes: Vec<u8>| {
            let Some(envelope) = Envelope::of(&bytes) else { return Ok(Opened::Whole(bytes)) };
            match keys.get(envelope.subject) {
                Some(Some(key)) if !envelope.is_empty() => Ok(Opened::Whole(key.open(&envelope)?)),
                Some(_) => Ok(Opened::Erased(envelope.open.to_vec())),
                None => Err(Error::internal(format!("the key of {} is missing", envelope.subject))),
            }
        };
        Ok(kept.into_iter().map(opened).collect())
    }

    /// Opens the payloads of events: of whoever is erased, to what everybody may know. One that cannot be opened stays as it is, which
    /// is no event of its type.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn open_events(&self, events: Vec<Recorded>) -> Result<Vec<Recorded>, Error> {
        self.open_events_within(None, events).await
    }

    /// The same, as a transaction sees their keys where one is given.
    pub(crate) async fn open_events_within(
        &self,
        within: Option<&Transaction>,
        mut events: Vec<Recorded>,
    ) -> Result<Vec<Recorded>, Error> {
        if events.iter().any(|event| Envelope::of(&event.payload).is_some()) {
            let sealed = events.iter().map(|event| event.payload.clone()).collect();
            for (event, opened) in events.iter_mut().zip(self.opened_each(within, sealed).await?) {
                match opened {
                    Ok(opened) => event.payload = opened.into_bytes(),
                    // Whoever decodes it finds that it is no such event, and it stops nobody but its stream.
                    Err(error) => {
                        tracing::error!(stream = %event.stream, version = event.version, %error, "an event cannot be opened");
                    }
                }
            }
        }
        Ok(events)
    }

    /// The keys of subjects, those that there are.
    pub(crate) async fn keys_of(
        &self,
        within: Option<&Transaction>,
        subjects: BTreeSet<String>,
    ) -> Result<BTreeMap<String, Kept>, Error> {
        let era = self.memory().keys.era();
        let mut keys = BTreeMap::new();
        let mut unknown = Vec::new();
        for subject in subjects {
            match self.memory().keys.get(&subject) {
                Some(key) => drop(keys.insert(subject, key)),
                None => unknown.push(subject),
            }
        }
        for some in unknown.chunks(TOGETHER) {
            let Some(last) = some.last() else { break };
            let asked = padded(some, last.clone());
            let places: Vec<_> = (1..=asked.len()).map(|number| format!("${number}")).collect();
            let query = format!("SELECT name, key FROM subject WHERE name IN ({})", places.join(", "));
            let query = statement(self.backend(), query, asked.into_iter().map(Value::from));
            for row in self.read_within(within, query).await? {
                let name: String = row.try_get("", "name").map_err(db)?;
                let key: Option<Vec<u8>> = row.try_get("", "key").map_err(db)?;
                let key = key.map(|key| Key::read(&key)).transpose()?;
                // That one is destroyed may be this transaction's own doing, and be undone.
                if key.is_some() || within.is_none() {
                    self.memory().keys.put(era, &name, key.clone());
                }
                keys.insert(name, key);
            }
        }
        Ok(keys)
    }
}

impl Opened {
    /// What there is to know.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        let (Self::Whole(bytes) | Self::Erased(bytes)) = self;
        bytes
    }
}

/// An envelope as a text.
pub(crate) fn text(envelope: &[u8]) -> String {
    format!("{TEXT}{}", URL_SAFE_NO_PAD.encode(envelope))
}

fn untext(kept: String) -> Result<Vec<u8>, Error> {
    match kept.strip_prefix(TEXT) {
        Some(sealed) => URL_SAFE_NO_PAD.decode(sealed).map_err(Error::internal),
        None => Ok(kept.into_bytes()),
    }
}
