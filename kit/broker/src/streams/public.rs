//! What the broker holds for whoever is outside: a stream for each context that somebody is granted, and on it a consumer for each
//! reader. The consumer remembers how far it was acknowledged, on disk; it begins with the oldest event that the stream has.

use std::collections::BTreeSet;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use tradewind_domain::Error;

use super::{ACK_WAIT, MAX_PENDING, Made, Retention, make_stream, put_consumer, there, unavailable};
use crate::wire;

/// What such a stream may take is this part of what the context's own may: a broker reserves it, and has to have room for all.
const PART: i64 = 8;

/// Makes what is missing of it; all of it, where `whole`.
pub(super) async fn pass_over(
    jetstream: &jetstream::Context,
    context: &str,
    readers: &BTreeSet<String>,
    retention: Retention,
    whole: bool,
) -> Result<Made, Error> {
    if readers.is_empty() {
        return Ok(Made::default());
    }
    let stream = wire::public_stream(context);
    let there = there(jetstream, &stream).await?;
    let mut made = Made { streams: usize::from(there.is_none()), ..Made::default() };
    if whole || there.is_none() {
        let less = Retention { max_bytes: retention.max_bytes / PART, ..retention };
        make_stream(jetstream, stream.clone(), wire::public_subjects(context), less).await?;
    }
    let there = there.unwrap_or_default();
    for reader in readers {
        let name = wire::token(reader);
        let is_there = there.contains(&name);
        made.consumers += usize::from(!is_there);
        if whole || !is_there {
            put_consumer(jetstream, &stream, consumer(name, retention.replicas)).await?;
        }
    }
    Ok(made)
}

/// Removes the consumers of who is no reader of it, and the stream where there is none; returns how many of these that were.
pub(super) async fn remove_others(
    jetstream: &jetstream::Context,
    context: &str,
    readers: &BTreeSet<String>,
) -> Result<usize, Error> {
    let stream = wire::public_stream(context);
    let Some(there) = there(jetstream, &stream).await? else { return Ok(0) };
    if readers.is_empty() {
        jetstream.delete_stream(&stream).await.map_err(|error| unavailable(&stream, &error))?;
        return Ok(1);
    }
    let names: BTreeSet<_> = readers.iter().map(|reader| wire::token(reader)).collect();
    let mut removed = 0;
    for name in there.difference(&names) {
        let deleted = jetstream.delete_consumer_from_stream(name, &stream).await;
        deleted.map_err(|error| unavailable(&stream, &error))?;
        removed += 1;
    }
    Ok(removed)
}

fn consumer(name: String, replicas: usize) -> pull::Config {
    pull::Config {
        durable_name: Some(name),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::All,
        ack_wait: ACK_WAIT,
        max_deliver: -1,
        max_ack_pending: MAX_PENDING,
        num_replicas: replicas,
        ..pull::Config::default()
    }
}
