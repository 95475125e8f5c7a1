//! One trace from the first event to what follows from it in another service.

use std::sync::{Arc, OnceLock};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;
use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_runtime::Engine;
use tradewind_store::{Metadata, Recorded, StreamName, Tx};
use tradewind_testing::account::{Account, Command, Deposited};
use tradewind_testing::{block_on, eventually};

use super::audit::{PATIENCE, Pair, Running, connect};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn trace_everything() {
    static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        let provider = SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::set_global_default(subscriber).expect("nobody else sets one");
        provider
    });
}

/// Pays the same into an account of the audit's own.
struct Mirror;

impl Reaction<Deposited> for Mirror {
    async fn react(&self, tx: &mut Tx, event: &Received<Deposited>) -> Result<(), Error> {
        let id = event.stream.id();
        tx.execute::<Account>(id, Command::Deposit(event.data.amount)).await.map(drop)
    }
}

#[test]
fn what_follows_from_an_event_continues_its_trace_and_names_its_cause() {
    trace_everything();
    block_on(async {
        let pair = Pair::new().await;
        let bank = pair.start_bank().await;
        let engine = Engine::new(pair.audit.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
        let audit = Running::start(engine.reactions(Reactions::new("audit").on("mirror_on_deposited", Mirror)));
        let mut tx = pair.bank.begin().await.unwrap();
        tx.set_cause(Metadata {
            correlation: "the matter".to_owned(),
            traceparent: TRACEPARENT.to_owned(),
            ..Metadata::default()
        });
        tx.execute::<Account>("a", Command::Deposit(1)).await.unwrap();
        tx.commit().await.unwrap();

        let stream = StreamName::of::<Account>("a");
        let first = pair.bank.history(&stream).await.unwrap().remove(0);
        assert_eq!(first.metadata.traceparent, TRACEPARENT);
        let next: Recorded = eventually(PATIENCE, "the audit has its own event", async || {
            pair.audit.history(&stream).await.unwrap().pop()
        })
        .await;
        assert_eq!(next.metadata.correlation, "the matter");
        assert_eq!(next.metadata.causation, first.id.to_string());
        let ids: Vec<&str> = next.metadata.traceparent.split('-').collect();
        assert_eq!(ids[1], "0af7651916cd43dd8448eb211c80319c", "the same trace");
        assert_ne!(ids[2], "b7ad6b7169203331", "a span of its own");
        audit.stop().await;
        bank.stop().await;
    });
}
