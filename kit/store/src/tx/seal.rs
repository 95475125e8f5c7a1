//! Sealing what is about somebody before it is written, and erasing it by destroying its key.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, Value};
use tradewind_domain::Error;
use tradewind_sql::{db, micros, signed, statement, unsigned};

use super::Tx;
use crate::personal::{Marked, marked};
use crate::seal::{Envelope, Key, head};
use crate::store::{ERASED, Tail, text};
use crate::{Recorded, StreamName};

impl Tx {
    /// Seals what is about `subject`, for a column of the service's own; as it is where nothing is sealed here. Of somebody who is
    /// erased nothing is kept. [`Store::open_sealed`](crate::Store::open_sealed) opens it.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn seal(&mut self, subject: &str, whole: &[u8]) -> Result<Vec<u8>, Error> {
        self.prepare_to_seal([subject]).await?;
        self.sealed(subject, &[], whole)
    }

    /// The same of a text, which becomes one.
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub async fn seal_text(&mut self, subject: &str, whole: &str) -> Result<String, Error> {
        let sealed = self.seal(subject, whole.as_bytes()).await?;
        if self.store.seals() { Ok(text(&sealed)) } else { String::from_utf8(sealed).map_err(Error::internal) }
    }

    /// Seals the payload of an event, whoever's log it is of, where it is about somebody.
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub async fn seal_event(&mut self, event: &Recorded) -> Result<Vec<u8>, Error> {
        match self.store.shown(&event.type_name, &event.payload) {
            Some(open) => {
                self.prepare_to_seal([event.metadata.partition_key.as_str()]).await?;
                self.sealed(&event.metadata.partition_key, &open, &event.payload)
            }
            None => Ok(event.payload.clone()),
        }
    }

    /// Whether what is about somebody is sealed as it is written.
    #[must_use]
    pub fn seals(&self) -> bool {
        self.store.seals()
    }

    /// Opens texts that [`seal_text`](Self::seal_text) has sealed, as this transaction sees their keys; `None` where a subject was
    /// erased.
    ///
    /// # Errors
    /// As [`Store::open_sealed`](crate::Store::open_sealed).
    pub async fn open_texts(&self, kept: Vec<String>) -> Result<Vec<Option<String>>, Error> {
        self.store.open_texts_within(Some(&self.transaction), kept).await
    }

    /// Opens the payload of an event that lies in a table of the kit's, as this transaction sees its key.
    ///
    /// # Errors
    /// As [`Store::open_sealed`](crate::Store::open_sealed).
    pub async fn open_event(&self, event: Recorded) -> Result<Recorded, Error> {
        if self.keys.get(&event.metadata.partition_key).is_some_and(Option::is_none) {
            self.store.memory().keys.forget(&event.metadata.partition_key);
        }
        let opened = self.store.open_events_within(Some(&self.transaction), vec![event]).await?;
        opened.into_iter().next().ok_or_else(|| Error::internal("no event"))
    }

    /// Finds or makes the keys of subjects, so that [`sealed`](Self::sealed) has them.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn prepare_to_seal<'a>(&mut self, subjects: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
        let subjects = subjects.into_iter().map(|subject| (subject.to_owned(), false)).collect();
        self.know(subjects).await
    }

    /// Seals what is about a subject, whose key is there by [`prepare_to_seal`](Self::prepare_to_seal), and of which everybody may
    /// know what is `open`.
    ///
    /// # Errors
    /// `Internal` where the key is not there.
    pub fn sealed(&self, subject: &str, open: &[u8], whole: &[u8]) -> Result<Vec<u8>, Error> {
        match self.keys.get(subject) {
            Some(None) if !self.store.seals() => Ok(open.to_vec()),
            _ if !self.store.seals() => Ok(whole.to_vec()),
            Some(Some(key)) => key.seal(subject, open, whole),
            Some(None) => Ok(head(subject, open)),
            None => Err(Error::internal(format!("nobody has asked for the key of {subject}"))),
        }
    }

    /// Finds the keys of subjects, each with whether it has surely none yet, and makes those that there are not.
    async fn know(&mut self, mut subjects: BTreeMap<String, bool>) -> Result<(), Error> {
        subjects.retain(|subject, _| !self.keys.contains_key(subject));
        if subjects.is_empty() {
            return Ok(());
        }
        let keys = &self.store.memory().keys;
        let is_known = |subject: &String| keys.is_doubted(subject) || keys.get(subject).is_some();
        let asked = subjects.iter().filter(|(subject, new)| !**new || is_known(subject));
        let asked = asked.map(|(subject, _)| subject.clone()).collect();
        let found = self.store.keys_of(Some(&self.transaction), asked).await?;
        for (subject, _) in subjects {
            let key = match found.get(&subject) {
                Some(key) => key.clone(),
                // Nothing is sealed, but of whoever is erased nothing is kept, either.
                None if !self.store.seals() => continue,
                None => {
                    let key = Key::new()?;
                    self.pending.subjects.insert(subject.clone(), key.clone());
                    Some(key)
                }
            };
            self.keys.insert(subject, key);
        }
        Ok(())
    }

    /// Seals what waits for the commit and is about somebody. Whoever begins a stream is taken to have no key yet where that is `hoped`:
    /// the commit fails where they have.
    pub(super) async fn seal_pending(&mut self, hoped: bool) -> Result<(), Error> {
        let mut subjects = BTreeMap::new();
        let mut shown = Vec::new();
        for (index, pending) in self.pending.events.iter().enumerate() {
            let event = &pending.event;
            if let Some(open) = self.store.shown(&event.type_name, &event.payload) {
                let subject = subjects.entry(event.metadata.partition_key.clone()).or_insert(true);
                *subject &= hoped && event.version == 1;
                shown.push((index, open));
            }
        }
        let about = shown.first().and_then(|(index, _)| self.pending.events.get(*index));
        let about = about.map(|pending| pending.event.metadata.partition_key.clone());
        let mut parts = std::mem::take(&mut self.pending.parts);
        for part in parts.all() {
            for (subject, _) in part.personal() {
                subjects.entry(subject.to_owned()).or_insert(false);
            }
        }
        let mut rows = std::mem::take(&mut self.pending.rows);
        for Marked { subject, .. } in rows.values_mut().filter_map(|value| marked(value)) {
            subjects.entry(subject.to_owned()).or_insert(false);
        }
        // Where it fails nothing is written.
        self.know(subjects).await?;
        for value in rows.values_mut() {
            self.seal_value(value)?;
        }
        for part in parts.all() {
            for (subject, bytes) in part.personal() {
                *bytes = self.sealed(subject, &[], bytes)?;
            }
        }
        (self.pending.rows, self.pending.parts) = (rows, parts);
        for (index, open) in shown {
            if let Some(event) = self.pending.events.get(index).map(|pending| &pending.event) {
                let sealed = self.sealed(&event.metadata.partition_key, &open, &event.payload)?;
                self.pending.events[index].event.payload = sealed;
            }
        }
        self.seal_responses(about)
    }

    /// Seals a value that is marked as being about somebody.
    fn seal_value(&self, value: &mut Value) -> Result<(), Error> {
        let Some(Marked { subject, open, whole }) = marked(value) else { return Ok(()) };
        let sealed = self.sealed(subject, open, whole)?;
        *value = match value {
            Value::String(_) if self.store.seals() => text(&sealed).into(),
            Value::String(_) => String::from_utf8(sealed).map_err(Error::internal)?.into(),
            _ => sealed.into(),
        };
        Ok(())
    }

    /// What is answered to a request says what was recorded for it: where that is about somebody, so is the answer.
    fn seal_responses(&mut self, about: Option<String>) -> Result<(), Error> {
        let Some(about) = about else { return Ok(()) };
        for (key, response) in std::mem::take(&mut self.pending.requests) {
            let response = self.sealed(&about, &[], &response)?;
            self.pending.requests.push((key, response));
        }
        Ok(())
    }

    /// Erases a subject: its key is destroyed, nothing about it is kept from now on, and what lies here as it was before there were
    /// seals is reduced to what everybody may know. `false` where it was erased before.
    ///
    /// What the service keeps of it in its own tables without a seal is the service's to remove; what the broker holds is removed a
    /// little later.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn erase(&mut self, subject: &str) -> Result<bool, Error> {
        let backend = self.backend();
        self.pending.subjects.remove(subject);
        self.keys.insert(subject.to_owned(), None);
        let destroy = "INSERT INTO subject (name, key, made, erased) VALUES ($1, NULL, $2, $2) ON CONFLICT (name) DO UPDATE \
             SET key = NULL, erased = excluded.erased WHERE subject.erased IS NULL RETURNING name";
        let values: [Value; 2] = [subject.into(), micros(self.now).into()];
        let destroyed = self.conn().query_all_raw(statement(backend, destroy, values)).await.map_err(db)?;
        let keep =
            "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        let when = micros(self.now).to_string();
        self.conn().execute_raw(statement(backend, keep, [ERASED.into(), when.into()])).await.map_err(db)?;
        let (store, of, era) = (self.store.clone(), subject.to_owned(), self.keys_era);
        for stream in self.strip(subject).await? {
            self.forget_snapshot(&stream).await?;
            let store = store.clone();
            self.after(move || store.cache().evict(&stream));
        }
        self.after(move || {
            store.memory().keys.put(era, &of, None);
            // What is not sealed is read from the database again.
            store.tails().iter().for_each(Tail::drop_kept);
        });
        Ok(!destroyed.is_empty())
    }

    /// Reduces what is about a subject and is not sealed to what everybody may know; the streams that are about it.
    async fn strip(&mut self, subject: &str) -> Result<BTreeSet<StreamName>, Error> {
        let backend = self.backend();
        let mut streams = BTreeSet::new();
        for (table, place) in [("event", "version"), ("parked", "position")] {
            let query = format!("SELECT stream, {place} AS place, type, payload FROM {table} WHERE partition_key = $1");
            for row in self.conn().query_all_raw(statement(backend, query, [subject.into()])).await.map_err(db)? {
                let text = |column: &str| row.try_get::<String>("", column).map_err(db);
                let (stream, payload) = (text("stream")?, row.try_get::<Vec<u8>>("", "payload").map_err(db)?);
                if Envelope::of(&payload).is_none()
                    && let Some(shown) = self.store.shown(&text("type")?, &payload)
                {
                    let place_of = unsigned(row.try_get("", "place").map_err(db)?);
                    let update = format!("UPDATE {table} SET payload = $1 WHERE stream = $2 AND {place} = $3");
                    let values: [Value; 3] = [shown.into(), stream.as_str().into(), signed(place_of).into()];
                    self.conn().execute_raw(statement(backend, update, values)).await.map_err(db)?;
                }
                if table == "event" {
                    streams.insert(StreamName::from(stream));
                }
            }
        }
        Ok(streams)
    }
}
