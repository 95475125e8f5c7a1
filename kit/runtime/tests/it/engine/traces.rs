//! One trace from the first event to what follows from it in another service.

use std::sync::{Arc, LazyLock};

use opentelemetry::trace::{SpanKind, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing_subscriber::layer::SubscriberExt;
use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_runtime::Engine;
use tradewind_store::{Metadata, Recorded, StreamName, Tx};
use tradewind_testing::account::{Account, Command, Deposited};
use tradewind_testing::{block_on, eventually};

use super::audit::{PATIENCE, Pair, Running, connect};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The spans of this process.
static SPANS: LazyLock<InMemorySpanExporter> = LazyLock::new(|| {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).expect("nobody else sets one");
    // Others' traces are not this test's.
    tradewind_telemetry::collect(0.0);
    exporter
});

/// What a span says.
fn says(span: &SpanData, name: &str) -> String {
    let said = span.attributes.iter().find(|said| said.key.as_str() == name);
    said.map(|said| said.value.to_string()).unwrap_or_default()
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
    LazyLock::force(&SPANS);
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
        let named = |name: &str| {
            let all = SPANS.get_finished_spans().unwrap_or_default();
            let mut ours = all.into_iter().filter(|span| span.span_context.trace_id().to_string() == ids[1]);
            // What follows is sent as well, perhaps before the broker has acknowledged its cause.
            let is_others =
                |span: &SpanData| ![String::new(), first.id.to_string()].contains(&says(span, "messaging.message.id"));
            ours.find(|span| span.name == name && !is_others(span))
        };
        let [committed, sent, processed, followed] = eventually(PATIENCE, "every part is told", async || {
            let names = ["COMMIT bank", "send TW_BANK", "process TW_BANK", "COMMIT audit"];
            let [a, b, c, d] = names.map(named);
            Some([a?, b?, c?, d?])
        })
        .await;
        for (span, kind) in
            [(&committed, SpanKind::Client), (&sent, SpanKind::Producer), (&processed, SpanKind::Consumer)]
        {
            assert_eq!(span.parent_span_id.to_string(), "b7ad6b7169203331", "{} follows what was asked for", span.name);
            assert_eq!(span.span_kind, kind, "{}", span.name);
        }
        let links: Vec<_> = processed.links.iter().map(|link| link.span_context.span_id().to_string()).collect();
        assert_eq!(links, ["b7ad6b7169203331"]);
        assert_eq!(followed.parent_span_id, processed.span_context.span_id(), "what follows is a part of the reaction");
        assert_eq!(ids[2], processed.span_context.span_id().to_string());
        assert_eq!(says(&committed, "db.operation.name"), "COMMIT");
        for span in [&sent, &processed] {
            assert_eq!(says(span, "messaging.system"), "nats");
            assert_eq!(says(span, "messaging.message.id"), first.id.to_string());
            assert_eq!(says(span, "cloudevents.event_type"), first.type_name);
        }
        assert_eq!(says(&processed, "messaging.consumer.group.name"), "audit");
        assert_eq!(says(&processed, "tradewind.reaction"), "mirror_on_deposited");
        audit.stop().await;
        bank.stop().await;
    });
}
