//! Publishes the own log for whoever is outside, an event a message, where the broker has a stream for that: it has one where somebody
//! is granted the context. Where there is none, nothing is read and nothing written.
//!
//! It keeps its place as the relay does. A stream that is new begins with the last events of the log; what came before, or was lost,
//! readers fetch from this process.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{GetStreamErrorKind, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use futures::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, is_of_the_message, wire, wire::Public};
use tradewind_domain::Error;
use tradewind_sql::Backoff;
use tradewind_store::{Cursor, LogPage, Recorded, Store};

use crate::metrics::metrics;

/// What is shown of an event, by its type and payload.
pub type Show = fn(&str, &[u8]) -> Vec<u8>;

/// The consumer under which it keeps its place in the own log.
const CONSUMER: &str = "public";
/// Events that are published before their acknowledgements are waited for.
const TOGETHER: usize = 256;
/// So many of the last events of a partition are published at most; those before are left to readers.
const BACKLOG: u64 = 100_000;
/// How often it is looked whether there is a stream.
const LOOK: Duration = Duration::from_secs(2);
/// How old what is not saved may be.
const SAVE_AFTER: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(500);
/// After so many refusals of one event in a row it is left out.
const REFUSALS: u32 = 5;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
/// How often a broker is asked for the stream that does not say whether it has one: it may be one that this service may not ask, and
/// that counts each as a refusal.
const LOOK_AGAIN: Backoff = Backoff::new(LOOK, Duration::from_secs(300));

/// The publisher.
pub(crate) struct Outlet {
    store: Store,
    broker: Broker,
    show: Show,
    /// Position and count of the refusals of one event in a row, by partition.
    refused: BTreeMap<u16, (u64, u32)>,
}

impl Outlet {
    pub(crate) fn new(store: Store, broker: Broker, show: Show) -> Self {
        Self { store, broker, show, refused: BTreeMap::new() }
    }

    /// Publishes until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), Error> {
        let (mut looked, mut attempt) = (0, 0);
        metrics().public_published.add(0, &[]);
        loop {
            let wait = match stop.run_until_cancelled(self.stream_is_there()).await {
                None => break,
                Some(Err(_)) if !self.broker.is_connected() => LOOK,
                Some(Ok(false)) => {
                    looked = 0;
                    metrics().public_lag.record(0, &[]);
                    LOOK
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "the broker does not say whether it has a stream for readers outside");
                    looked += 1;
                    self.tell_lag().await;
                    LOOK_AGAIN.wait(looked)
                }
                Some(Ok(true)) => {
                    looked = 0;
                    let Some(outcome) = stop.run_until_cancelled(self.session(&mut attempt)).await else { break };
                    if let Err(error) = outcome {
                        tracing::warn!(%error, "publishing for readers outside broke off; it goes back to what is saved");
                    }
                    attempt += 1;
                    BACKOFF.wait(attempt)
                }
            };
            if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                break;
            }
        }
        metrics().public_lag.record(0, &[]);
        Ok(())
    }

    /// Publishes for as long as nothing fails.
    async fn session(&mut self, attempt: &mut u32) -> Result<(), Error> {
        let epoch = self.store.epoch();
        let (mut grown, mut places) = (self.store.log_grew(), self.places().await?);
        loop {
            grown.mark_unchanged();
            self.store.intact()?;
            let (mut published, mut lag, mut failure) = (0, 0, None);
            for place in &mut places {
                // A partition that stands still stops no other.
                match self.publish(place).await {
                    Ok(events) => published += events,
                    Err(error) => failure = failure.or(Some(error)),
                }
                lag += place.head.saturating_sub(place.at.position);
            }
            metrics().public_lag.record(lag, &[]);
            if epoch.has_changed().unwrap_or(true) {
                return Err(Error::unavailable("DATABASE_WAS_AWAY", "where publishing stands is read again"));
            }
            if failure.is_some() || places.iter().any(Place::is_to_be_saved) {
                self.save(&mut places).await?;
            }
            if let Some(error) = failure {
                return Err(error);
            }
            if published > 0 {
                *attempt = 0;
            } else {
                // The sender lives in the store, which this outlet holds.
                let _ = tokio::time::timeout(POLL, grown.changed()).await;
            }
        }
    }

    /// Whether the broker has the stream; an error where it does not say.
    async fn stream_is_there(&self) -> Result<bool, Error> {
        self.broker.ready()?;
        match self.broker.jetstream().get_stream(wire::public_stream(self.store.context())).await {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(false),
                _ => Err(unavailable(&error)),
            },
        }
    }

    /// Tells how much is left to publish for a stream of which nobody knows whether it is still there.
    async fn tell_lag(&self) {
        let (places, heads) = tokio::join!(self.places(), self.store.follow_heads());
        if let (Ok(places), Ok(heads)) = (places, heads) {
            let begun = places.iter().zip(heads).filter(|(place, _)| place.at.position > 0);
            let left = begun.map(|(place, head)| head.saturating_sub(place.at.position)).sum();
            metrics().public_lag.record(left, &[]);
        }
    }

    async fn places(&self) -> Result<Vec<Place>, Error> {
        let mut places = Vec::new();
        for partition in 0..self.store.partitions() {
            let saved = self.store.cursor(CONSUMER, self.store.context(), partition).await?.unwrap_or_default();
            places.push(Place { partition, head: saved.position, at: saved, saved, dirty_since: None });
        }
        Ok(places)
    }

    /// Publishes what comes next of a partition and moves its place over what the broker has taken; returns how many events that were.
    /// After an error the place stands behind the last of them.
    async fn publish(&mut self, place: &mut Place) -> Result<u64, Error> {
        let page = self.next(place).await?;
        place.head = page.head;
        let mut published = 0;
        for (event, outcome) in page.events.iter().zip(self.send(&page).await) {
            match outcome {
                Ok(()) => {
                    published += 1;
                    metrics().public_published.add(1, &[]);
                }
                Err(error) if self.is_left_out(place.partition, event, &error) => {}
                Err(error) => return Err(unavailable(&error)),
            }
            place.at = Cursor { position: event.position, incarnation: page.incarnation, event: Some(event.id) };
            place.dirty_since.get_or_insert_with(Instant::now);
        }
        Ok(published)
    }

    /// What comes next of a partition.
    async fn next(&self, place: &Place) -> Result<LogPage, Error> {
        let (partition, position) = (place.partition, place.at.position);
        let page = self.store.follow_log(partition, position, TOGETHER).await?;
        let oldest = page.head.saturating_sub(BACKLOG);
        if position >= oldest { Ok(page) } else { self.store.read_log(partition, oldest, TOGETHER).await }
    }

    /// Sends the events of a page, and what became of each, in order, up to the first that could not be sent.
    async fn send(&self, page: &LogPage) -> Vec<Result<(), PublishError>> {
        let (mut after, mut sent) = (page.after, Vec::with_capacity(page.events.len()));
        for event in &page.events {
            let shown = (self.show)(&event.type_name, &event.payload);
            let Public { subject, headers, body } =
                wire::public(self.store.context(), page.incarnation, after, event, shown);
            after = Some(event.id);
            let message = PublishMessage::build().headers(headers).payload(body);
            let sending = self.broker.jetstream().send_publish(subject, message).await;
            let goes_on = sending.as_ref().err().is_none_or(is_of_the_message);
            sent.push(async { sending?.await.map(drop) });
            if !goes_on {
                break;
            }
        }
        join_all(sent).await
    }

    /// Whether the broker refuses this very event, which then stops nothing behind it: at once where it is too large for any message,
    /// else after some attempts.
    fn is_left_out(&mut self, partition: u16, event: &Recorded, error: &PublishError) -> bool {
        if !is_of_the_message(error) {
            return false;
        }
        let (refused, count) = self.refused.entry(partition).or_default();
        *count = if *refused == event.position { *count + 1 } else { 1 };
        *refused = event.position;
        if error.kind() != PublishErrorKind::MaxPayloadExceeded && *count < REFUSALS {
            return false;
        }
        let (stream, position) = (&event.stream, event.position);
        tracing::error!(%stream, position, %error, "an event cannot be published; readers outside fetch it here");
        true
    }

    /// Saves every place; publishing an event twice is harmless, so that is not done for each.
    async fn save(&self, places: &mut [Place]) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        for place in places.iter().filter(|place| place.dirty_since.is_some()) {
            let Place { partition, at, saved, .. } = *place;
            if !tx.advance_cursor(CONSUMER, self.store.context(), partition, saved, at).await? {
                return Err(Error::unavailable("OVERTAKEN", "another process publishes"));
            }
        }
        tx.commit().await?;
        for place in places {
            *place = Place { saved: place.at, dirty_since: None, ..*place };
        }
        Ok(())
    }
}

/// How far publishing has come in a partition.
#[derive(Clone, Copy)]
struct Place {
    partition: u16,
    /// How far the log has grown, as it was last seen.
    head: u64,
    at: Cursor,
    /// What the database has.
    saved: Cursor,
    /// When the first acknowledgement came that it has not.
    dirty_since: Option<Instant>,
}

impl Place {
    fn is_to_be_saved(&self) -> bool {
        self.dirty_since.is_some_and(|since| since.elapsed() >= SAVE_AFTER)
    }
}

fn unavailable(error: &dyn std::fmt::Display) -> Error {
    Error::unavailable("PUBLISH_FAILED", error.to_string())
}
