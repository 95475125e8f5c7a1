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

/// Makes what is missing of it; all of it, where `whole`, and removes what nobody is granted any more.
pub(super) async fn pass_over(
    jetstream: &jetstream::Context,
    context: &str,
    readers: &BTreeSet<String>,
    retention: Retention,
    whole: bool,
) -> Result<Made, Error> {
    if readers.is_empty() && !whole {
        return Ok(Made::default());
    }
    let stream = wire::public_stream(context);
    let there = there(jetstream, &stream).await?;
    if readers.is_empty() {
        let Some(_) = there else { return Ok(Made::default()) };
        jetstream.delete_stream(&stream).await.map_err(|error| unavailable(&stream, &error))?;
        return Ok(Made { removed: 1, ..Made::default() });
    }
    let mut made = Made { streams: usize::from(there.is_none()), ..Made::default() };
    if whole || there.is_none() {
        let less = Retention { max_bytes: retention.max_bytes / PART, ..retention };
        make_stream(jetstream, stream.clone(), wire::public_subjects(context), less).await?;
    }
    let there = there.unwrap_or_default();
    let names: BTreeSet<_> = readers.iter().map(|reader| wire::token(reader)).collect();
    for name in &names {
        let is_there = there.contains(name);
        made.consumers += usize::from(!is_there);
        if whole || !is_there {
            put_consumer(jetstream, &stream, consumer(name.clone(), retention.replicas)).await?;
        }
    }
    for name in there.difference(&names).filter(|_| whole) {
        let deleted = jetstream.delete_consumer_from_stream(name, &stream).await;
        deleted.map_err(|error| unavailable(&stream, &error))?;
        made.removed += 1;
    }
    Ok(made)
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
