//! What the broker holds of the own events: asked by whoever publishes them, and told as metrics.
//!
//! A service may look at no more than its own streams there. The account and its disk are the broker's own to tell of.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use opentelemetry::{KeyValue, global};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, wire};
use tradewind_domain::Error;
use tradewind_store::Store;

const EVERY: Duration = Duration::from_secs(15);
const WITHIN: Duration = Duration::from_secs(5);
/// How often it is left out after a stream that is none or may not be asked for: a broker counts that as a refusal.
const RESTS: u32 = 20;

/// A stream at a moment.
#[derive(Clone, Copy)]
struct Held {
    messages: u64,
    bytes: u64,
    /// The bytes that it may hold; nothing where it has no such limit.
    limit: Option<u64>,
}

/// By stream, those of this process's turns.
static HELD: LazyLock<Mutex<BTreeMap<String, Held>>> = LazyLock::new(Mutex::default);

/// Measures the own streams every 15 s, until `stop`.
///
/// # Errors
/// None at present.
pub(crate) async fn measure(store: Store, broker: Broker, stop: CancellationToken) -> Result<(), Error> {
    begin();
    let own = [wire::stream_name(store.context()), wire::public_stream(store.context())].map(Own);
    let mut rests = [0_u32; 2];
    // Whoever has just begun has events to publish first.
    while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        for (Own(stream), rest) in own.iter().zip(&mut rests) {
            if *rest > 0 {
                *rest -= 1;
                continue;
            }
            let held = stop.run_until_cancelled(look(&broker, stream)).await.flatten();
            *rest = if held.is_none() && broker.is_connected() { RESTS } else { 0 };
            keep(stream, held);
        }
    }
    Ok(())
}

fn keep(stream: &str, held: Option<Held>) {
    let mut all = held_now();
    match held {
        Some(held) => _ = all.insert(stream.to_owned(), held),
        None => _ = all.remove(stream),
    }
}

/// A stream as it is; nothing where there is none, or nobody to ask.
async fn look(broker: &Broker, stream: &str) -> Option<Held> {
    if !broker.is_connected() {
        return None;
    }
    let stream = timeout(WITHIN, broker.jetstream().get_stream(stream)).await.ok()?.ok()?;
    let info = stream.cached_info();
    let limit = u64::try_from(info.config.max_bytes).ok().filter(|limit| *limit > 0);
    Some(Held { messages: info.state.messages, bytes: info.state.bytes, limit })
}

/// A stream of which this process tells as long as it has the turn.
struct Own(String);

impl Drop for Own {
    fn drop(&mut self) {
        held_now().remove(&self.0);
    }
}

fn held_now() -> MutexGuard<'static, BTreeMap<String, Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        tell("tradewind_broker_stream_messages", "Messages that a stream of the broker holds", |held| {
            Some(held.messages)
        });
        tell("tradewind_broker_stream_bytes", "Bytes that a stream of the broker holds", |held| Some(held.bytes));
        let limit = "Bytes that a stream of the broker may hold; the oldest messages go first";
        tell("tradewind_broker_stream_limit_bytes", limit, |held| held.limit);
    });
}

fn tell(name: &'static str, what: &'static str, of: fn(&Held) -> Option<u64>) {
    let meter = global::meter("tradewind");
    let _kept_by_the_meter = meter
        .u64_observable_gauge(name)
        .with_description(what)
        .with_callback(move |gauge| {
            for (stream, held) in &*held_now() {
                if let Some(number) = of(held) {
                    gauge.observe(number, &[KeyValue::new("stream", stream.clone())]);
                }
            }
        })
        .build();
}
