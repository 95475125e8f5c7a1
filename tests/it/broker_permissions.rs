//! What the broker refuses each service, by the contracts, and that the services need none of it.

use std::sync::{Arc, Mutex};

use async_nats::jetstream::consumer::pull::Config as Consumer;
use async_nats::jetstream::{self, stream::Config as Stream};
use async_nats::{Client, ConnectOptions, Event, ServerError};
use tempfile::TempDir;
use tradewind_mesh::{Identity, IdentityFiles, Policy};
use tradewind_testing::{Database, Nats, eventually, pki};
use uuid::Uuid;

use crate::shop::{PATIENCE, SERVICES, Shop, in_a_shop, secured_broker};

/// Somebody at the broker with a workload's certificate.
struct Member {
    client: Client,
    jetstream: jetstream::Context,
    refusals: Arc<Mutex<Vec<String>>>,
}

impl Member {
    async fn connect(nats: &Nats, pki: &TempDir, name: &str) -> Self {
        // Already installed is as good as installed now.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let identity = Identity::load(IdentityFiles::in_dir(pki.path(), name)).unwrap();
        let refusals = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&refusals);
        let options = ConnectOptions::new()
            .custom_inbox_prefix(format!("_INBOX.{name}"))
            .tls_client_config(identity.client_config())
            .event_callback(move |event| {
                if let Event::ServerError(ServerError::Other(text)) = event {
                    told.lock().unwrap().push(text);
                }
                std::future::ready(())
            });
        let client =
            eventually(PATIENCE, "the broker is there", async || options.clone().connect(nats.url()).await).await;
        Self { jetstream: jetstream::new(client.clone()), client, refusals }
    }

    async fn may_not_publish(&self, subject: &str) {
        self.client.publish(subject.to_owned(), "{}".into()).await.unwrap();
        self.is_refused(&format!("Publish to \"{subject}\"")).await;
    }

    async fn may_not_subscribe(&self, subject: &str) {
        let _subscription = self.client.subscribe(subject.to_owned()).await.unwrap();
        self.is_refused(&format!("Subscription to \"{subject}\"")).await;
    }

    async fn is_refused(&self, what: &str) {
        eventually(PATIENCE, &format!("the broker refuses: {what}"), async || {
            let refusals = self.refusals.lock().unwrap().clone();
            refusals.iter().any(|refusal| refusal.contains(what)).then_some(()).ok_or(refusals)
        })
        .await;
    }

    /// Makes the stream of its own events, as its relay would.
    async fn make_stream(&self, name: &str) {
        let subjects = vec![format!("tw.{name}.>")];
        let stream = Stream { name: stream_of(name), subjects, ..Stream::default() };
        eventually(PATIENCE, "the stream is made", async || {
            self.jetstream.create_or_update_stream(stream.clone()).await
        })
        .await;
    }

    /// Makes its own consumer of the first partition, as its reader would.
    async fn make_consumer(&self, name: &str, source: &str) {
        let consumer = Consumer {
            durable_name: Some(format!("{name}-0")),
            filter_subject: format!("tw.{source}.0.>"),
            ..Consumer::default()
        };
        eventually(PATIENCE, "the consumer is made", async || {
            self.jetstream.create_consumer_on_stream(consumer.clone(), stream_of(source)).await
        })
        .await;
    }

    async fn publish_event(&self, subject: &str) {
        self.jetstream.publish(subject.to_owned(), "event".into()).await.unwrap().await.unwrap();
    }
}

fn stream_of(context: &str) -> String {
    format!("TW_{}", context.to_uppercase())
}

/// The members of an empty shop: the streams of ordering and inventory are there, and each of payment's and inventory's
/// consumers of ordering.
struct Members {
    ordering: Member,
    inventory: Member,
    payment: Member,
    operator: Member,
    _nats: Nats,
    _pki: TempDir,
}

impl Members {
    async fn gather() -> Self {
        let pki = pki(&["nats", "ordering", "inventory", "payment", "operator"]);
        let nats = secured_broker(pki.path());
        let connect = async |name| Member::connect(&nats, &pki, name).await;
        let members = Self {
            ordering: connect("ordering").await,
            inventory: connect("inventory").await,
            payment: connect("payment").await,
            operator: connect("operator").await,
            _nats: nats,
            _pki: pki,
        };
        members.ordering.make_stream("ordering").await;
        members.inventory.make_stream("inventory").await;
        members.inventory.make_consumer("inventory", "ordering").await;
        members.payment.make_consumer("payment", "ordering").await;
        members
    }

    /// How many events a stream holds, as the operator sees it.
    async fn events_of(&self, context: &str) -> u64 {
        let jetstream = &self.operator.jetstream;
        let stream =
            eventually(PATIENCE, "the stream is shown", async || jetstream.get_stream(stream_of(context)).await).await;
        stream.cached_info().state.messages
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_publishes_anothers_event_is_refused() {
    let members = Members::gather().await;
    for subject in
        ["tw.inventory.0.reservation.StockReserved", "tw.head.inventory", "tw.wake.inventory", "tw.head.ordering"]
    {
        members.payment.may_not_publish(subject).await;
    }
    assert_eq!(members.events_of("inventory").await, 0);

    members.inventory.publish_event("tw.inventory.0.reservation.StockReserved").await;
    assert_eq!(members.events_of("inventory").await, 1, "its owner may");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_reads_only_the_contexts_that_it_declares() {
    let members = Members::gather().await;
    // Ordering reacts to all but notification, payment to ordering only.
    for (reader, name, source) in
        [(&members.ordering, "ordering", "notification"), (&members.payment, "payment", "inventory")]
    {
        for subject in [format!("tw.head.{source}"), format!("tw.{source}.>"), "tw.>".to_owned(), ">".to_owned()] {
            reader.may_not_subscribe(&subject).await;
        }
        let (stream, filter) = (stream_of(source), format!("tw.{source}.0.>"));
        reader.may_not_publish(&format!("$JS.API.CONSUMER.CREATE.{stream}.{name}-0.{filter}")).await;
        for verb in ["CREATE", "DURABLE.CREATE", "MSG.NEXT"] {
            reader.may_not_publish(&format!("$JS.API.CONSUMER.{verb}.{stream}.{name}-0")).await;
        }
        reader.may_not_publish(&format!("$JS.API.CONSUMER.CREATE.{stream}")).await;
        reader.may_not_publish(&format!("$JS.API.STREAM.MSG.GET.{stream}")).await;
    }
    // Its own consumer does not serve to read something else.
    members.payment.may_not_publish("$JS.API.CONSUMER.CREATE.TW_ORDERING.payment-0.tw.>").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_anothers_replies() {
    let members = Members::gather().await;
    for subject in ["_INBOX.>", "_INBOX.ordering.>", "_INBOX.*.>", "$JS.ACK.>", "$JS.API.>", "$SYS.>"] {
        members.payment.may_not_subscribe(subject).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_cannot_touch_anothers_stream_or_consumer() {
    let members = Members::gather().await;
    members.ordering.publish_event("tw.ordering.0.order.OrderPlaced").await;
    for verb in ["CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT"] {
        members.payment.may_not_publish(&format!("$JS.API.STREAM.{verb}.TW_ORDERING")).await;
    }
    for verb in ["CREATE", "DURABLE.CREATE", "DELETE", "MSG.NEXT", "INFO"] {
        members.payment.may_not_publish(&format!("$JS.API.CONSUMER.{verb}.TW_ORDERING.inventory-0")).await;
    }
    members.payment.may_not_publish("$JS.ACK.TW_ORDERING.inventory-0.1.1.1.1.0").await;
    // The owner makes its stream and cannot unmake it.
    members.ordering.may_not_publish("$JS.API.STREAM.DELETE.TW_ORDERING").await;

    let stream = members.operator.jetstream.get_stream("TW_ORDERING").await.unwrap();
    let consumer = stream.consumer_info("inventory-0").await.unwrap();
    assert_eq!(
        (stream.cached_info().state.messages, consumer.num_pending, consumer.ack_floor.consumer_sequence),
        (1, 1, 0)
    );
    members.payment.jetstream.delete_consumer_from_stream("payment-0", "TW_ORDERING").await.expect("its own it may");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_looks_and_changes_nothing() {
    let Members { operator, .. } = &Members::gather().await;
    let stream = operator.jetstream.get_stream("TW_ORDERING").await.unwrap();
    assert_eq!(stream.cached_info().state.consumer_count, 2);
    stream.consumer_info("payment-0").await.unwrap();
    for subject in
        ["tw.ordering.0.order.OrderPlaced", "tw.head.ordering", "$JS.API.CONSUMER.DELETE.TW_ORDERING.payment-0"]
    {
        operator.may_not_publish(subject).await;
    }
    for verb in ["CREATE", "UPDATE", "DELETE", "PURGE", "MSG.GET", "MSG.DELETE"] {
        operator.may_not_publish(&format!("$JS.API.STREAM.{verb}.TW_ORDERING")).await;
    }
    operator.may_not_subscribe("tw.>").await;
}

/// Every event comes by the broker, so that what its permissions lack is not made up for by asking the owner.
#[test]
fn every_service_reads_its_sources_by_the_broker() {
    in_a_shop(Database::postgres, async |shop: &mut Shop| {
        let operator = Member::connect(&shop.nats, shop.pki(), "operator").await;
        let tea = shop.offer("tea", 450, 1_000).await;
        let policy = Policy::from_descriptor(contracts::DESCRIPTOR).unwrap();
        let read = SERVICES
            .into_iter()
            .flat_map(|reader| policy.sources_of(reader).into_iter().map(move |source| (reader, source)));
        for (reader, source) in read {
            eventually(PATIENCE, &format!("{reader} acknowledges events of {source}"), async || {
                shop.offer(&Uuid::now_v7().to_string(), 900, 0).await;
                let placed = shop.operator.place(tea.order(1)).await;
                shop.operator.settled(&placed.order_id).await;
                let stream =
                    operator.jetstream.get_stream(stream_of(&source)).await.map_err(|error| error.to_string())?;
                let mut acknowledged = 0;
                for partition in 0..16 {
                    // There is one for each partition that the source has.
                    if let Ok(consumer) = stream.consumer_info(format!("{reader}-{partition}")).await {
                        acknowledged += consumer.ack_floor.consumer_sequence;
                    }
                }
                if acknowledged > 0 { Ok(()) } else { Err("none yet".to_owned()) }
            })
            .await;
        }
        let metrics = crate::process::get(&format!("http://{}/metrics", shop.admin_address("ordering"))).await.unwrap();
        let metrics = metrics.text().await.unwrap();
        assert!(!metrics.contains("tradewind_broker_refusals"), "{metrics}");
    });
}
