//! What the replicas of a service at the edge tell each other: a key-value bucket with a key for each of them.
//!
//! A value is put by publishing it, and nobody waits for that: what is said here is worth something for a moment only. Whoever
//! watches the bucket's keys with a client of NATS makes a consumer, which no service may; a plain subscription hears the same, and
//! what was said before is read from the stream.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use rustls::pki_types::UnixTime;
use tradewind_domain::Error;

use crate::{Broker, wire};

/// The replicas whose last words are read. More are heard once they say something.
const REPLICAS: usize = 256;

/// The bucket of one service, as one replica of it sees it.
#[derive(Clone)]
pub struct Board {
    broker: Broker,
    service: &'static str,
    own: String,
}

impl Board {
    /// The bucket of `service` for its replica of that name, which no other has.
    #[must_use]
    pub fn new(broker: Broker, service: &'static str, replica: &str) -> Self {
        Self { broker, service, own: wire::board_subject(service, replica) }
    }

    /// The broker it is on.
    #[must_use]
    pub const fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Tells the others, where the broker is there; otherwise it is never said.
    pub async fn tell(&self, value: Bytes) {
        if self.broker.is_connected() {
            // Nothing depends on it.
            let _ = self.broker.client().publish(self.own.clone(), value).await;
        }
    }

    /// What the others say from now on, for as long as the connection is made again.
    ///
    /// # Errors
    /// `Unavailable` where the client has ended.
    pub async fn hear(&self) -> Result<impl Stream<Item = Bytes> + Unpin + use<>, Error> {
        let heard = self.broker.client().subscribe(wire::board_subjects(self.service)).await;
        let heard = heard.map_err(|error| unavailable(&error))?;
        let own = self.own.clone();
        let others = heard.filter_map(move |message| {
            let is_own = message.subject.as_str() == own;
            std::future::ready((!is_own).then_some(message.payload))
        });
        Ok(others)
    }

    /// What the others have said last, and how long ago.
    ///
    /// # Errors
    /// `Unavailable` where there is no bucket, or no broker.
    pub async fn said(&self) -> Result<Vec<(Duration, Bytes)>, Error> {
        let stream = self.broker.jetstream().get_stream_no_info(wire::board_stream(self.service)).await;
        let stream = stream.map_err(|error| unavailable(&error))?;
        let keys = stream.info_with_subjects(wire::board_subjects(self.service)).await;
        let keys = keys.map_err(|error| unavailable(&error))?;
        let keys: Vec<_> =
            keys.map_ok(|(key, _)| key).take(REPLICAS).try_collect().await.map_err(|error| unavailable(&error))?;
        let mut said = Vec::new();
        for key in keys.into_iter().filter(|key| *key != self.own) {
            // It may have been forgotten meanwhile.
            let Ok(last) = stream.get_last_raw_message_by_subject(&key).await else { continue };
            let now = i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
            let age = u64::try_from(now.saturating_sub(last.time.unix_timestamp())).unwrap_or_default();
            said.push((Duration::from_secs(age), last.payload));
        }
        Ok(said)
    }
}

fn unavailable(error: &dyn std::error::Error) -> Error {
    Error::unavailable("BOARD_UNAVAILABLE", error.to_string())
}
