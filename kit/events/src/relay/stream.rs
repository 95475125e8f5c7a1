//! The JetStream stream of a context, made by its owner and made again when it vanished.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use crate::broker::Broker;
use crate::wire;
use tradewind_domain::Error;

const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);

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

/// Makes the stream of `context`, or brings its limits up to date.
pub(super) async fn ensure(broker: &Broker, context: &str, retention: Retention) -> Result<(), Error> {
    let config = Config {
        name: wire::stream_name(context),
        subjects: vec![wire::subjects(context)],
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
    broker
        .jetstream()
        .create_or_update_stream(config)
        .await
        .map(drop)
        .map_err(|cause| Error::unavailable("STREAM_UNAVAILABLE", cause.to_string()))
}
