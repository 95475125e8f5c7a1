//! Publishes the own log for whoever is outside, an event a message, where the broker has a stream for that: it has one where somebody
//! is granted the context. Where there is none, nothing is read and nothing written.
//!
//! It keeps its place as the relay does. A stream that is new begins with the last events of the log; what came before, or was lost,
//! readers fetch from this process.

use std::future::IntoFuture;
use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use futures::future::try_join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, wire, wire::Public};
use tradewind_domain::Error;
use tradewind_sql::Backoff;
use tradewind_store::{Cursor, Store};

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
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));

/// The publisher.
pub(crate) struct Outlet {
    store: Store,
    broker: Broker,
    show: Show,
}

impl Outlet {
    pub(crate) fn new(store: Store, broker: Broker, show: Show) -> Self {
        Self { store, broker, show }
    }

    /// Publishes until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let mut attempt = 0;
        while let Some(outcome) = stop.run_until_cancelled(self.session(&mut attempt)).await {
            let wait = match outcome {
                Ok(()) => LOOK,
                Err(error) => {
                    tracing::warn!(%error, "publishing for readers outside broke off; it goes back to what is saved");
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

    /// Publishes while there is a stream; `Ok` means that there is none.
    async fn session(&self, attempt: &mut u32) -> Result<(), Error> {
        let epoch = self.store.epoch();
        if !self.broker.is_connected() || !self.stream_is_there().await {
            return Ok(());
        }
        let (mut grown, mut places) = (self.store.log_grew(), self.places().await?);
        loop {
            grown.mark_unchanged();
            self.store.intact()?;
            let (mut published, mut lag) = (0, 0);
            for place in &mut places {
                let (events, behind) = self.publish(place).await?;
                published += events;
                lag += behind;
            }
            metrics().public_lag.record(lag, &[]);
            if epoch.has_changed().unwrap_or(true) {
                return Err(Error::unavailable("DATABASE_WAS_AWAY", "where publishing stands is read again"));
            }
            if places.iter().any(Place::is_to_be_saved) {
                self.save(&mut places).await?;
            }
            if published > 0 {
                *attempt = 0;
            } else {
                // The sender lives in the store, which this outlet holds.
                let _ = tokio::time::timeout(POLL, grown.changed()).await;
            }
        }
    }

    /// Whether the broker has the stream, and says so.
    async fn stream_is_there(&self) -> bool {
        self.broker.jetstream().get_stream(wire::public_stream(self.store.context())).await.is_ok()
    }

    async fn places(&self) -> Result<Vec<Place>, Error> {
        let mut places = Vec::new();
        for partition in 0..self.store.partitions() {
            let saved = self.store.cursor(CONSUMER, self.store.context(), partition).await?.unwrap_or_default();
            places.push(Place { partition, at: saved, saved, dirty_since: None });
        }
        Ok(places)
    }

    /// Publishes what comes next of a partition; returns how many events that were, and how many there are still.
    async fn publish(&self, place: &mut Place) -> Result<(usize, u64), Error> {
        let (partition, position) = (place.partition, place.at.position);
        let mut page = self.store.follow_log(partition, position, TOGETHER).await?;
        let oldest = page.head.saturating_sub(BACKLOG);
        if position < oldest {
            page = self.store.read_log(partition, oldest, TOGETHER).await?;
        }
        let Some(last) = page.events.last() else { return Ok((0, 0)) };
        let (mut after, mut acknowledged) = (page.after, Vec::new());
        for event in &page.events {
            let shown = (self.show)(&event.type_name, &event.payload);
            let Public { subject, headers, body } =
                wire::public(self.store.context(), page.incarnation, after, event, shown);
            after = Some(event.id);
            let message = PublishMessage::build().headers(headers).payload(body);
            match self.broker.jetstream().send_publish(subject, message).await {
                Ok(acknowledgement) => acknowledged.push(acknowledgement.into_future()),
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    let (stream, position) = (&event.stream, event.position);
                    tracing::error!(%stream, position, "an event is too large to be published; readers fetch it here");
                }
                Err(error) => return Err(unavailable(&error)),
            }
        }
        try_join_all(acknowledged).await.map_err(|error| unavailable(&error))?;
        place.at = Cursor { position: last.position, incarnation: page.incarnation, event: Some(last.id) };
        place.dirty_since.get_or_insert_with(Instant::now);
        metrics().public_published.add(u64::try_from(page.events.len()).unwrap_or_default(), &[]);
        Ok((page.events.len(), page.head.saturating_sub(last.position)))
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
