//! Head heartbeats: how far each log reaches, told every second on core NATS, so that a reader notices a loss nobody
//! follows up with a later message.
//!
//! Subject `tw.head.<context>`; the body is text, fields separated by one space: the log's incarnation, then the last
//! position of each partition, e.g. `0190163d-8694-739b-aea5-966c26f8ad91 1234 877` for a log of two partitions.
//! A heartbeat may be old by the time it is read: it only ever makes a reader ask the owner.

#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;

use std::fmt::Write;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, wire};
use tradewind_domain::Error;
use tradewind_store::{Heads, Store};

use crate::relay;

const INTERVAL: Duration = Duration::from_secs(1);
const RESUBSCRIBE: Duration = Duration::from_millis(500);

/// Publishes the own log's heads until `stop`.
pub(crate) async fn publish(store: Store, broker: Broker, stop: CancellationToken) -> Result<(), Error> {
    let subject = wire::head_subject(store.context());
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        relay::age::measure(&store).await;
        if !broker.is_connected() {
            continue;
        }
        match store.heads().await {
            Ok(heads) => {
                if let Err(error) = broker.client().publish(subject.clone(), encode(&heads).into()).await {
                    tracing::debug!(%error, "a head heartbeat was not sent");
                }
            }
            Err(error) => tracing::warn!(%error, "the own log's heads cannot be read"),
        }
    }
    relay::age::record_end();
    Ok(())
}

/// Follows the heads of `context`; the receiver holds the latest heartbeat, if there was one.
pub(crate) fn follow(broker: Broker, context: &str, stop: CancellationToken) -> watch::Receiver<Option<Heads>> {
    let (sender, receiver) = watch::channel(None);
    let subject = wire::head_subject(context);
    tokio::spawn(async move {
        stop.run_until_cancelled(receive(&broker, &subject, &sender)).await;
    });
    receiver
}

async fn receive(broker: &Broker, subject: &str, sender: &watch::Sender<Option<Heads>>) {
    loop {
        match broker.client().subscribe(subject.to_owned()).await {
            Ok(mut messages) => {
                while let Some(message) = messages.next().await {
                    match decode(&message.payload) {
                        Some(heads) => drop(sender.send_replace(Some(heads))),
                        None => tracing::warn!(subject, "a head heartbeat cannot be read"),
                    }
                }
            }
            Err(error) => tracing::debug!(subject, %error, "head heartbeats cannot be followed"),
        }
        tokio::time::sleep(RESUBSCRIBE).await;
    }
}

fn encode(heads: &Heads) -> String {
    let mut text = heads.incarnation.to_string();
    for position in &heads.positions {
        // Writing to a String cannot fail.
        let _ = write!(text, " {position}");
    }
    text
}

fn decode(body: &[u8]) -> Option<Heads> {
    let mut fields = std::str::from_utf8(body).ok()?.split(' ');
    let incarnation = fields.next()?.parse().ok()?;
    let positions = fields.map(|field| field.parse().ok()).collect::<Option<_>>()?;
    Some(Heads { incarnation, positions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_survive_the_wire() {
        let heads = Heads { incarnation: uuid::Uuid::from_u128(5), positions: vec![1234, 0] };
        assert_eq!(decode(encode(&heads).as_bytes()), Some(heads));
    }

    #[test]
    fn anything_else_is_no_heartbeat() {
        for body in ["", "x", "0190163d-8694-739b-aea5-966c26f8ad91 -1"] {
            assert!(decode(body.as_bytes()).is_none(), "{body}");
        }
    }
}
