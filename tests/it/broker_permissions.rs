//! What the broker refuses each service, by the contracts, and that the services need none of it.

mod member;
mod readers;

use async_nats::jetstream::stream::{Config, Republish, Source};
use supervisor::services;
use system_tests::PATIENCE;
use tempfile::TempDir;
use tradewind_broker::Retention;
use tradewind_mesh::Policy;
use tradewind_runtime::{BROKER_INIT, broker_streams};
use tradewind_testing::{Database, Nats, eventually, pki};
use uuid::Uuid;

pub(crate) use self::member::Member;
use self::member::requests;
use crate::shop::{Shop, in_a_shop, secured_broker};

fn stream_of(context: &str) -> String {
    format!("TW_{}", context.to_uppercase())
}

/// The members of an empty shop, where every stream and consumer of the contracts is there.
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
        let pki = pki(&["nats", BROKER_INIT, "ordering", "inventory", "payment", "operator"]);
        let policy = Policy::new(&contracts::CONTRACT);
        let streams = broker_streams(&policy, Retention::default());
        let nats = secured_broker(pki.path()).keeping(streams, Some(pki.path()));
        let connect = async |name| Member::connect(&nats, &pki, name).await;
        Self {
            ordering: connect("ordering").await,
            inventory: connect("inventory").await,
            payment: connect("payment").await,
            operator: connect("operator").await,
            _nats: nats,
            _pki: pki,
        }
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
    for subject in ["tw.inventory.0.frame", "tw.head.inventory", "tw.wake.inventory", "tw.head.ordering"] {
        members.payment.may_not_publish(subject).await;
    }
    assert_eq!(members.events_of("inventory").await, 0);

    members.inventory.publish_event("tw.inventory.0.frame").await;
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
    members.ordering.publish_event("tw.ordering.0.frame").await;
    for verb in ["CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT"] {
        members.payment.may_not_publish(&format!("$JS.API.STREAM.{verb}.TW_ORDERING")).await;
    }
    for verb in ["CREATE", "DURABLE.CREATE", "DELETE", "MSG.NEXT", "INFO"] {
        members.payment.may_not_publish(&format!("$JS.API.CONSUMER.{verb}.TW_ORDERING.inventory-0")).await;
    }
    members.payment.may_not_publish("$JS.ACK.TW_ORDERING.inventory-0.1.1.1.1.0").await;

    let stream = members.operator.jetstream.get_stream("TW_ORDERING").await.unwrap();
    let consumer = stream.consumer_info("inventory-0").await.unwrap();
    assert_eq!(
        (stream.cached_info().state.messages, consumer.num_pending, consumer.ack_floor.consumer_sequence),
        (1, 1, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_edge_tells_its_own_replicas_something_and_nobody_else() {
    let pki = pki(&["nats", BROKER_INIT, "gateway", "payment"]);
    let streams = broker_streams(&Policy::new(&contracts::CONTRACT), Retention::default());
    let nats = secured_broker(pki.path()).keeping(streams, Some(pki.path()));
    let (edge, payment) =
        (Member::connect(&nats, &pki, "gateway").await, Member::connect(&nats, &pki, "payment").await);
    edge.publish_event("$KV.TW_GATEWAY.one").await;
    for subject in
        ["tw.ordering.0.frame", "tw.gateway.0.frame", "$KV.TW_ORDERING.one", "$JS.API.STREAM.INFO.TW_ORDERING"]
    {
        edge.may_not_publish(subject).await;
    }
    for verb in ["STREAM.UPDATE.KV_TW_GATEWAY", "STREAM.PURGE.KV_TW_GATEWAY", "CONSUMER.CREATE.KV_TW_GATEWAY.one"] {
        edge.may_not_publish(&format!("$JS.API.{verb}")).await;
    }
    for subject in ["tw.>", "tw.head.ordering", "$KV.>", "_INBOX.payment.>"] {
        edge.may_not_subscribe(subject).await;
    }
    payment.may_not_publish("$KV.TW_GATEWAY.one").await;
    payment.may_not_subscribe("$KV.TW_GATEWAY.>").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_all_that_jetstream_can_be_asked_a_service_may_ask_what_it_needs() {
    let Members { payment, .. } = &Members::gather().await;
    let allowed = [
        "$JS.API.STREAM.INFO.TW_PAYMENT",
        "$JS.API.STREAM.MSG.GET.TW_PAYMENT",
        "$JS.API.STREAM.PURGE.TW_PAYMENT",
        "$JS.API.CONSUMER.INFO.TW_ORDERING.payment-0",
        "$JS.API.CONSUMER.MSG.NEXT.TW_ORDERING.payment-0",
    ];
    let streams = ["TW_PAYMENT", "TW_ORDERING", "TW_INVENTORY", "TW_FORGED"];
    payment.may_only_publish(requests(streams, ["payment-0", "inventory-0", "forged"]), &allowed).await;
}

/// The way that was open: a stream of its own that copies another's events, or republishes to another's subjects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_cannot_have_the_broker_read_or_forge_for_it() {
    let Members { payment, operator, .. } = &Members::gather().await;
    let plain = |name: &str| Config { name: name.to_owned(), ..Config::default() };
    let source = Source { name: "TW_INVENTORY".to_owned(), ..Source::default() };
    let republish =
        Republish { source: "tw.payment.>".into(), destination: "tw.inventory.>".into(), headers_only: false };
    let subjects = vec!["tw.payment.>".to_owned()];
    for config in [
        Config { sources: Some(vec![source.clone()]), subjects: subjects.clone(), ..plain("TW_PAYMENT") },
        Config { republish: Some(republish), subjects, ..plain("TW_PAYMENT") },
        Config { mirror: Some(source), ..plain("TW_COPY") },
    ] {
        let (create, update) =
            tokio::join!(payment.jetstream.create_stream(&config), payment.jetstream.update_stream(&config));
        assert!(create.is_err() && update.is_err(), "{config:?}");
    }
    let stream = operator.jetstream.get_stream("TW_PAYMENT").await.unwrap();
    let Config { sources, republish, mirror, .. } = &stream.cached_info().config;
    assert!(sources.is_none() && republish.is_none() && mirror.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_looks_and_changes_nothing() {
    let Members { operator, .. } = &Members::gather().await;
    let stream = operator.jetstream.get_stream("TW_ORDERING").await.unwrap();
    let policy = Policy::new(&contracts::CONTRACT);
    let reads = |name| policy.reads_of(name).filter(|(_, source)| *source == "ordering").count();
    let readers: usize = services::names().into_iter().map(reads).sum();
    let consumers = stream.cached_info().state.consumer_count;
    assert_eq!(consumers, readers * 16, "{readers} read it, in up to sixteen partitions");
    stream.consumer_info("payment-0").await.unwrap();
    for subject in ["tw.ordering.0.frame", "tw.head.ordering", "$JS.API.CONSUMER.DELETE.TW_ORDERING.payment-0"] {
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
        let policy = Policy::new(&contracts::CONTRACT);
        let read = services::names().into_iter().flat_map(|name| policy.reads_of(name));
        for (reader, source) in read {
            eventually(PATIENCE, &format!("{reader} acknowledges events of {source}"), async || {
                shop.offer(&Uuid::now_v7().to_string(), 900, 0).await;
                let placed = shop.operator.place(tea.order(1)).await;
                shop.operator.settled(&placed.order_id).await;
                shop.operator.hire(&format!("{}@example.com", Uuid::now_v7())).await;
                let stream =
                    operator.jetstream.get_stream(stream_of(source)).await.map_err(|error| error.to_string())?;
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
