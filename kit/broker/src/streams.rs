//! What the broker holds for the services: a stream for each context, and on it a consumer for each partition that each of
//! its readers may read. For whoever is outside and granted a context there is another, see `public`.
//!
//! No service makes any of it: whoever makes a stream or a consumer may have the broker copy another's events into it, or
//! deliver to another's subjects. One identity makes all, and makes it again wherever the broker has lost some. A consumer is
//! disposable, because the reader's cursor is the truth: it lives in the server's memory and begins with new messages.

mod board;
mod public;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, ConsumerErrorKind, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, ErrorCode};
use futures::{StreamExt, TryStreamExt, stream};
use tradewind_domain::Error;
use tradewind_store::MOST_PARTITIONS;

use crate::Broker;
use crate::wire;

const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
const MAX_PENDING: i64 = 1_000;
const ACK_WAIT: Duration = Duration::from_secs(30);
/// So many requests are under way at a time.
const AT_A_TIME: usize = 16;
/// How often it is looked after.
const LOOK: Duration = Duration::from_secs(1);
const CONNECTS: Duration = Duration::from_secs(5);

/// How much the broker keeps. What it has dropped is read from the owner, so this bounds a disk and loses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Bytes a context's stream may take; the oldest messages go first.
    pub max_bytes: i64,
    /// Age at which a message goes.
    pub max_age: Duration,
    /// Copies in a clustered broker: 1, 3 or 5.
    pub replicas: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { max_bytes: 1 << 30, max_age: Duration::from_secs(7 * 24 * 60 * 60), replicas: 1 }
    }
}

/// The streams and consumers of a set of contexts.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    retention: Retention,
    /// Who reads each context.
    readers: BTreeMap<String, BTreeSet<String>>,
    /// Who is outside and reads each context; for a context that nobody does there is no stream.
    public: BTreeMap<String, BTreeSet<String>>,
    /// Whether nobody else is outside and reads.
    no_others: bool,
    /// Services at the edge whose replicas tell each other something.
    boards: BTreeSet<String>,
}

/// What was not there and is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Streams.
    pub streams: usize,
    /// Consumers.
    pub consumers: usize,
    /// What was there for whoever is outside and is not to be: streams of contexts that nobody is granted, consumers of who is no
    /// reader.
    pub removed: usize,
}

impl std::ops::AddAssign for Made {
    fn add_assign(&mut self, Self { streams, consumers, removed }: Self) {
        self.streams += streams;
        self.consumers += consumers;
        self.removed += removed;
    }
}

impl Streams {
    /// None yet.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self { retention, ..Self::default() }
    }

    /// With the stream of `context`, and the consumers for what it `reads`: each a reader of its own and the context that it reads.
    #[must_use]
    pub fn of<'a>(mut self, context: &str, reads: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.readers.entry(context.to_owned()).or_default();
        self.public.entry(context.to_owned()).or_default();
        for (reader, source) in reads {
            self.readers.entry(source.to_owned()).or_default().insert(reader.to_owned());
        }
        self
    }

    /// With what `reader` has, who is outside and reads `contexts`.
    #[must_use]
    pub fn for_reader(mut self, reader: &str, contexts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        for context in contexts {
            self.public.entry(context.as_ref().to_owned()).or_default().insert(reader.to_owned());
        }
        self
    }

    /// Nobody else is outside and reads: whatever the broker holds for others is removed.
    #[must_use]
    pub fn and_no_others(mut self) -> Self {
        self.no_others = true;
        self
    }

    /// With the bucket of a service at the edge.
    #[must_use]
    pub fn with_board(mut self, service: &str) -> Self {
        self.boards.insert(service.to_owned());
        self
    }

    /// Makes what is missing, and brings what is there up to date.
    ///
    /// # Errors
    /// `Unavailable` when the broker is away, too old or refuses.
    pub async fn make(&self, broker: &Broker) -> Result<Made, Error> {
        self.pass(broker, true).await
    }

    /// The same whenever the connection is new or something has vanished, for ever. `tell` hears of what was made, and once of
    /// every failure that lasts.
    pub async fn keep(&self, broker: &Broker, mut tell: impl FnMut(Result<Made, Error>)) {
        let mut link = broker.link();
        // A connection takes a moment, which is no failure.
        let _ = tokio::time::timeout(CONNECTS, link.wait_for(|link| link.up)).await;
        let mut up_to_date = None;
        let mut failure = None;
        loop {
            let epoch = link.borrow_and_update().epoch;
            match self.pass(broker, up_to_date != Some(epoch)).await {
                Ok(made) => {
                    if up_to_date.is_none() || failure.take().is_some() || made != Made::default() {
                        tell(Ok(made));
                    }
                    up_to_date = Some(epoch);
                }
                Err(error) => {
                    let text = error.to_string();
                    if failure.as_ref() != Some(&text) {
                        tell(Err(error));
                    }
                    failure = Some(text);
                }
            }
            // When the client is gone there is nothing to wait for but the end of this process.
            if let Ok(Err(_)) = tokio::time::timeout(LOOK, link.changed()).await {
                return;
            }
        }
    }

    async fn pass(&self, broker: &Broker, whole: bool) -> Result<Made, Error> {
        broker.ready()?;
        let (mut made, mut failure) = (Made::default(), None);
        for (context, readers) in &self.readers {
            // One that is refused leaves nobody else without.
            match self.pass_over(broker.jetstream(), context, readers, whole).await {
                Ok(more) => made += more,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        for (context, readers) in &self.public {
            match public::pass_over(broker.jetstream(), context, readers, self.retention, whole).await {
                Ok(more) => made += more,
                Err(error) => failure = failure.or(Some(error)),
            }
            if whole && self.no_others {
                match public::remove_others(broker.jetstream(), context, readers).await {
                    Ok(removed) => made += Made { removed, ..Made::default() },
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
        }
        for service in &self.boards {
            match board::pass_over(broker.jetstream(), service, self.retention.replicas, whole).await {
                Ok(streams) => made += Made { streams, ..Made::default() },
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(made), Err)
    }

    async fn pass_over(
        &self,
        jetstream: &jetstream::Context,
        context: &str,
        readers: &BTreeSet<String>,
        whole: bool,
    ) -> Result<Made, Error> {
        let there = there(jetstream, &wire::stream_name(context)).await?;
        if whole || there.is_none() {
            make_stream(jetstream, wire::stream_name(context), wire::subjects(context), self.retention).await?;
        }
        let streams = usize::from(there.is_none());
        let there = there.unwrap_or_default();
        let all = readers.iter().flat_map(|reader| (0..MOST_PARTITIONS).map(move |partition| (reader, partition)));
        let mut all: Vec<_> = all.map(|(reader, number)| (wire::consumer_name(reader, number), number)).collect();
        let consumers = all.iter().filter(|(name, _)| !there.contains(name)).count();
        all.retain(|(name, _)| whole || !there.contains(name));
        let made = stream::iter(all).map(|(name, number)| make_consumer(jetstream, context, name, number));
        made.buffer_unordered(AT_A_TIME).try_collect::<()>().await?;
        Ok(Made { streams, consumers, removed: 0 })
    }
}

/// The consumers of a stream that answer; `None` where there is no stream.
async fn there(jetstream: &jetstream::Context, stream: &str) -> Result<Option<BTreeSet<String>>, Error> {
    match jetstream.get_stream(stream).await {
        Ok(found) if found.cached_info().state.consumer_count == 0 => Ok(Some(BTreeSet::new())),
        Ok(found) => {
            let names = found.consumers().map_ok(|consumer| consumer.name).try_collect().await;
            names.map(Some).map_err(|error| unavailable(stream, &error))
        }
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(cause) if cause.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            _ => Err(unavailable(stream, &error)),
        },
    }
}

async fn make_stream(
    jetstream: &jetstream::Context,
    name: String,
    subjects: String,
    retention: Retention,
) -> Result<(), Error> {
    let config = Config {
        name: name.clone(),
        subjects: vec![subjects],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        storage: StorageType::File,
        max_bytes: retention.max_bytes,
        max_age: retention.max_age,
        num_replicas: retention.replicas,
        duplicate_window: DUPLICATE_WINDOW,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_message_size: -1,
        max_consumers: -1,
        ..Config::default()
    };
    let made = jetstream.create_or_update_stream(config).await;
    made.map(drop).map_err(|error| unavailable(&name, &error))
}

async fn make_consumer(
    jetstream: &jetstream::Context,
    context: &str,
    name: String,
    partition: u16,
) -> Result<(), Error> {
    let config = pull::Config {
        durable_name: Some(name),
        deliver_policy: DeliverPolicy::New,
        ack_policy: AckPolicy::All,
        ack_wait: ACK_WAIT,
        max_deliver: -1,
        max_ack_pending: MAX_PENDING,
        filter_subject: wire::partition_subjects(context, partition),
        num_replicas: 1,
        memory_storage: true,
        ..pull::Config::default()
    };
    put_consumer(jetstream, &wire::stream_name(context), config).await
}

async fn put_consumer(jetstream: &jetstream::Context, stream: &str, config: pull::Config) -> Result<(), Error> {
    let Err(error) = jetstream.create_consumer_on_stream(config.clone(), stream).await else { return Ok(()) };
    let name = config.durable_name.as_deref().unwrap_or_default();
    // One with other settings cannot be changed, only replaced; it holds nothing worth keeping.
    let differs = |kind| matches!(kind, ConsumerErrorKind::JetStream(cause) if matches!(cause.code(), 400 | 500));
    if !differs(error.kind()) || jetstream.delete_consumer_from_stream(name, stream).await.is_err() {
        return Err(unavailable(stream, &error));
    }
    let made = jetstream.create_consumer_on_stream(config, stream).await;
    made.map(drop).map_err(|error| unavailable(stream, &error))
}

fn unavailable(stream: &str, error: &dyn std::error::Error) -> Error {
    Error::unavailable("STREAM_UNAVAILABLE", format!("{stream}: {error}"))
}
