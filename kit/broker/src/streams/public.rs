//! What the broker holds for whoever is outside: a stream for each context that somebody is granted, and on it a consumer for each
//! reader. The consumer remembers how far it was acknowledged, on disk; it begins with the oldest event that the stream has.

use std::collections::BTreeSet;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use tradewind_domain::Error;

use super::{ACK_WAIT, MAX_PENDING, Made, Retention, make_stream, put_consumer, there};
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
    let stream = wire::public_stream(context);
    let there = there(jetstream, &stream).await?;
    if whole || there.is_none() {
        let less = Retention { max_bytes: retention.max_bytes / PART, ..retention };
        make_stream(jetstream, stream.clone(), wire::public_subjects(context), less).await?;
    }
    let streams = usize::from(there.is_none());
    let (there, mut consumers) = (there.unwrap_or_default(), 0);
    for reader in readers {
        let name = wire::token(reader);
        let is_there = there.contains(&name);
        consumers += usize::from(!is_there);
        if whole || !is_there {
            put_consumer(jetstream, &stream, consumer(name, retention.replicas)).await?;
        }
    }
    Ok(Made { streams, consumers })
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
