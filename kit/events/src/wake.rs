//! Pings between replicas: a commit in one wakes the sequencer in whichever has it. Lost ones cost a moment, no event.
//!
//! Core NATS, subject `tw.wake.<context>`; the body names the process that sent it.

use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, wire};
use tradewind_domain::Error;
use tradewind_store::Store;
use uuid::Uuid;

/// Commits within so long share a ping.
const TOGETHER: Duration = Duration::from_millis(2);
const RESUBSCRIBE: Duration = Duration::from_millis(500);

/// Sends and receives pings until `stop`. A database file has one process, which needs none.
///
/// # Errors
/// None at present.
pub async fn ping_replicas(store: Store, broker: Broker, stop: CancellationToken) -> Result<(), Error> {
    if !store.is_shared() {
        stop.cancelled().await;
        return Ok(());
    }
    let subject = wire::wake_subject(store.context());
    let me = Uuid::new_v4().to_string();
    while !stop.is_cancelled() {
        let exchange = async {
            let result = exchange(&store, &broker, &subject, &me).await;
            if let Err(error) = result {
                tracing::debug!(subject, error, "pings between replicas are interrupted");
            }
            tokio::time::sleep(RESUBSCRIBE).await;
        };
        stop.run_until_cancelled(exchange).await;
    }
    Ok(())
}

async fn exchange(store: &Store, broker: &Broker, subject: &str, me: &str) -> Result<(), String> {
    let mut pings = broker.client().subscribe(subject.to_owned()).await.map_err(|error| error.to_string())?;
    let mut committed = store.outbox_grew();
    loop {
        tokio::select! {
            ping = pings.next() => {
                let ping = ping.ok_or("the subscription ended")?;
                if ping.payload != me.as_bytes() {
                    let own = committed.has_changed().unwrap_or_default();
                    store.wake_sequencer();
                    // Passing a ping on would set the replicas pinging one another for ever.
                    if !own {
                        committed.mark_unchanged();
                    }
                }
            }
            changed = committed.changed() => {
                changed.map_err(|error| error.to_string())?;
                if broker.is_connected() {
                    let sent = broker.client().publish(subject.to_owned(), me.to_owned().into()).await;
                    sent.map_err(|error| error.to_string())?;
                }
                tokio::time::sleep(TOGETHER).await;
            }
        }
    }
}
