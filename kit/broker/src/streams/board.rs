//! The bucket of a service at the edge, in which its replicas tell each other something.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use tradewind_domain::Error;

use super::{there, unavailable};
use crate::wire;

/// What a bucket may take, a value of it, and how long one is kept.
const BYTES: i64 = 4 << 20;
const VALUE: i32 = 64 << 10;
const AGE: Duration = Duration::from_secs(60);

/// Makes it where it is missing or `whole`; returns how many streams that were not there.
pub(super) async fn pass_over(
    jetstream: &jetstream::Context,
    service: &str,
    replicas: usize,
    whole: bool,
) -> Result<usize, Error> {
    let is_there = there(jetstream, &wire::board_stream(service)).await?.is_some();
    if whole || !is_there {
        make(jetstream, service, replicas).await?;
    }
    Ok(usize::from(!is_there))
}

/// A bucket as NATS' clients know it: the last value of each key. It is in memory, and forgets whoever says nothing.
async fn make(jetstream: &jetstream::Context, service: &str, replicas: usize) -> Result<(), Error> {
    let stream = wire::board_stream(service);
    let config = Config {
        name: stream.clone(),
        subjects: vec![wire::board_subjects(service)],
        max_messages_per_subject: 1,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        storage: StorageType::Memory,
        max_bytes: BYTES,
        max_message_size: VALUE,
        max_age: AGE,
        duplicate_window: AGE,
        num_replicas: replicas,
        allow_rollup: true,
        deny_delete: true,
        max_messages: -1,
        max_consumers: -1,
        ..Config::default()
    };
    let made = jetstream.create_or_update_stream(config).await;
    made.map(drop).map_err(|error| unavailable(&stream, &error))
}
