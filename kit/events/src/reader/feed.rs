//! The broker's side of a reader: one durable pull consumer for each consumer, source and partition, and the source's
//! heartbeats.
//!
//! The consumer is not made here, see [`tradewind_broker::Streams`]. What it does not deliver is read from the owner.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::Stream;
use async_nats::{Subject, jetstream};
use futures::{FutureExt, StreamExt};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tradewind_broker::{Broker, Link, wire};
use tradewind_domain::Error;
use tradewind_fault::{Point, hit};
use tradewind_store::{Heads, changed};

/// Messages that are on their way here at a time; each may hold as many events as a frame has.
const BATCH: usize = 8;
const EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(10);
const REOPEN: Duration = Duration::from_millis(250);

/// What a feed tells.
#[expect(clippy::large_enum_variant, reason = "made and taken apart at once, never kept")]
pub(super) enum News {
    Message(Message),
    /// There was a heartbeat.
    Heads,
    /// The connection changed, or the messages ended.
    Link,
}

/// Messages and heartbeats of one partition.
pub(super) struct Feed {
    broker: Broker,
    link: watch::Receiver<Link>,
    heads: watch::Receiver<Option<Heads>>,
    stream: String,
    consumer: String,
    state: State,
    /// It was opened or closed, and nobody has been told.
    changed: bool,
}

/// The messages, and the epoch of the connection they come by.
enum State {
    Closed { retry_at: Instant },
    Opening { epoch: u64, result: AbortOnDropHandle<Result<Stream, Error>> },
    Open { epoch: u64, messages: Box<Stream> },
}

impl Feed {
    pub(super) fn new(
        broker: Broker,
        heads: watch::Receiver<Option<Heads>>,
        consumer: &str,
        context: &str,
        partition: u16,
    ) -> Self {
        Self {
            link: broker.link(),
            broker,
            heads,
            stream: wire::stream_name(context),
            consumer: wire::consumer_name(consumer, partition),
            state: State::Closed { retry_at: Instant::now() },
            changed: false,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// When to try opening it, if it is closed and the broker is there.
    pub(super) fn opens_at(&self) -> Option<Instant> {
        match self.state {
            State::Closed { retry_at } if self.broker.is_connected() => Some(retry_at),
            _ => None,
        }
    }

    /// Closes what came by a connection that is gone, and begins to open what can be; tells whether it was opened or closed
    /// since this was asked last.
    pub(super) fn keep_open(&mut self) -> bool {
        let link = *self.link.borrow_and_update();
        match self.state {
            State::Opening { epoch, .. } | State::Open { epoch, .. } if !link.up || epoch != link.epoch => {
                self.close(&"the connection changed", Duration::ZERO);
            }
            State::Closed { retry_at } if self.broker.is_connected() && retry_at <= Instant::now() => {
                let (jetstream, stream) = (self.broker.jetstream().clone(), self.stream.clone());
                let opening = open(jetstream, stream, self.consumer.clone());
                let result = AbortOnDropHandle::new(tokio::spawn(opening));
                self.state = State::Opening { epoch: link.epoch, result };
            }
            _ => {}
        }
        std::mem::take(&mut self.changed)
    }

    /// The next message, if it is there already.
    pub(super) fn ready(&mut self) -> Option<Message> {
        match self.next().now_or_never()? {
            News::Message(message) => Some(message),
            News::Heads | News::Link => None,
        }
    }

    /// Waits for something to happen. Safe to cancel.
    pub(super) async fn news(&mut self) -> News {
        let (mut heads, mut link) = (self.heads.clone(), self.link.clone());
        tokio::select! {
            news = self.next() => news,
            () = changed(&mut heads) => News::Heads,
            () = changed(&mut link) => News::Link,
        }
    }

    /// Waits for a message, or the end of opening or of the messages. Safe to cancel.
    async fn next(&mut self) -> News {
        match &mut self.state {
            State::Closed { .. } => std::future::pending().await,
            State::Opening { epoch, result } => {
                let epoch = *epoch;
                match result.await {
                    Ok(Ok(messages)) => {
                        self.state = State::Open { epoch, messages: Box::new(messages) };
                        self.changed = true;
                    }
                    Ok(Err(error)) => self.close(&error, REOPEN),
                    Err(error) => self.close(&error, REOPEN),
                }
                News::Link
            }
            State::Open { messages, .. } => match messages.next().await {
                Some(Ok(message)) => News::Message(message),
                Some(Err(error)) => {
                    self.close(&error, REOPEN);
                    News::Link
                }
                None => {
                    self.close(&"the messages ended", REOPEN);
                    News::Link
                }
            },
        }
    }

    /// The last heartbeat.
    pub(super) fn heads(&mut self) -> Option<Heads> {
        self.heads.borrow_and_update().clone()
    }

    /// Acknowledges a message and all before it. It may get lost: then they come again and are passed over.
    pub(super) async fn acknowledge(&self, reply: Subject) {
        hit(Point::AckBefore, &self.consumer);
        if let Err(error) = self.broker.client().publish(reply, jetstream::AckKind::Ack.into()).await {
            tracing::debug!(%error, "an acknowledgement was not sent");
        }
        hit(Point::AckAfter, &self.consumer);
    }

    fn close(&mut self, why: &dyn std::fmt::Display, wait: Duration) {
        tracing::debug!(stream = self.stream, consumer = self.consumer, %why, "no messages until it is opened again");
        self.changed |= self.is_open();
        self.state = State::Closed { retry_at: Instant::now() + wait };
    }
}

async fn open(jetstream: jetstream::Context, stream: String, name: String) -> Result<Stream, Error> {
    let consumer: PullConsumer =
        jetstream.get_consumer_from_stream(&name, &stream).await.map_err(|error| unavailable(&error))?;
    let messages = consumer.stream().max_messages_per_batch(BATCH).expires(EXPIRES).heartbeat(HEARTBEAT).messages();
    messages.await.map_err(|error| unavailable(&error))
}

fn unavailable(error: &dyn std::error::Error) -> Error {
    Error::unavailable("CONSUMER_UNAVAILABLE", error.to_string())
}
