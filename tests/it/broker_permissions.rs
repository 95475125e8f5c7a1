//! What the broker refuses each service, by the contracts, and that the services need none of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_nats::jetstream;
use async_nats::jetstream::stream::{Config, Republish, Source};
use async_nats::{Client, ConnectOptions, Event, ServerError};
use supervisor::services;
use tempfile::TempDir;
use tradewind_broker::Retention;
use tradewind_mesh::{Identity, IdentityFiles, Policy};
use tradewind_runtime::{BROKER_INIT, broker_streams};
use tradewind_testing::{Database, Nats, eventually, pki};
use uuid::Uuid;

use crate::shop::{Shop, in_a_shop, issue_readers, policy, secured_broker};
use system_tests::PATIENCE;

/// Somebody at the broker with a workload's certificate.
pub(crate) struct Member {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    refusals: Arc<Mutex<Vec<String>>>,
}

impl Member {
    pub(crate) async fn connect(nats: &Nats, pki: &TempDir, name: &str) -> Self {
        Self::with_inbox(nats, pki, name, format!("_INBOX.{name}")).await
    }

    /// Whoever is outside and reads.
    pub(crate) async fn reader(nats: &Nats, pki: &TempDir, name: &str) -> Self {
        Self::with_inbox(nats, pki, name, format!("_INBOX.READER.{name}")).await
    }

    async fn with_inbox(nats: &Nats, pki: &TempDir, name: &str, inbox: String) -> Self {
        // Already installed is as good as installed now.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let identity = Identity::load(IdentityFiles::in_dir(pki.path(), name)).unwrap();
        let refusals = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&refusals);
        let options = ConnectOptions::new()
            .custom_inbox_prefix(inbox)
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

    async fn publish_event(&self, subject: &str) {
        self.jetstream.publish(subject.to_owned(), "event".into()).await.unwrap().await.unwrap();
    }
}

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

/// What JetStream can be asked; `S` stands for a stream, `C` for a consumer. Whoever may make or change one of them can have
/// the broker read and write for him: sources, a republication, a mirror, a delivery to another's subject.
const REQUESTS: [&str; 33] = [
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.CREATE.S",
    "$JS.API.STREAM.UPDATE.S",
    "$JS.API.STREAM.DELETE.S",
    "$JS.API.STREAM.PURGE.S",
    "$JS.API.STREAM.INFO.S",
    "$JS.API.STREAM.MSG.GET.S",
    "$JS.API.STREAM.MSG.DELETE.S",
    "$JS.API.STREAM.SNAPSHOT.S",
    "$JS.API.STREAM.RESTORE.S",
    "$JS.API.STREAM.PEER.REMOVE.S",
    "$JS.API.STREAM.LEADER.STEPDOWN.S",
    "$JS.API.STREAM.TEMPLATE.CREATE.S",
    "$JS.API.DIRECT.GET.S",
    "$JS.API.DIRECT.GET.S.tw.ordering.0.frame",
    "$JS.API.CONSUMER.CREATE.S",
    "$JS.API.CONSUMER.CREATE.S.C",
    "$JS.API.CONSUMER.CREATE.S.C.tw.ordering.0.>",
    "$JS.API.CONSUMER.DURABLE.CREATE.S.C",
    "$JS.API.CONSUMER.DELETE.S.C",
    "$JS.API.CONSUMER.NAMES.S",
    "$JS.API.CONSUMER.LIST.S",
    "$JS.API.CONSUMER.INFO.S.C",
    "$JS.API.CONSUMER.MSG.NEXT.S.C",
    "$JS.API.CONSUMER.PAUSE.S.C",
    "$JS.API.CONSUMER.UNPIN.S.C",
    "$JS.API.CONSUMER.RESET.S.C",
    "$JS.API.CONSUMER.LEADER.STEPDOWN.S.C",
    "$JS.API.META.LEADER.STEPDOWN",
    "$JS.API.SERVER.REMOVE",
    "$JS.API.ACCOUNT.PURGE.$G",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_all_that_jetstream_can_be_asked_a_service_may_ask_what_it_needs() {
    let Members { payment, .. } = &Members::gather().await;
    let allowed = [
        "$JS.API.STREAM.INFO.TW_PAYMENT",
        "$JS.API.STREAM.MSG.GET.TW_PAYMENT",
        "$JS.API.CONSUMER.INFO.TW_ORDERING.payment-0",
        "$JS.API.CONSUMER.MSG.NEXT.TW_ORDERING.payment-0",
    ];
    let mut asked = BTreeSet::new();
    for request in REQUESTS {
        for stream in ["TW_PAYMENT", "TW_ORDERING", "TW_INVENTORY", "TW_FORGED"] {
            for consumer in ["payment-0", "inventory-0", "forged"] {
                let tokens = request.split('.').map(|token| match token {
                    "S" => stream,
                    "C" => consumer,
                    token => token,
                });
                asked.insert(tokens.collect::<Vec<_>>().join("."));
            }
        }
    }
    // A few at a time: the client forgets what it is told faster than it is asked for.
    for few in asked.iter().collect::<Vec<_>>().chunks(16) {
        for subject in few {
            payment.client.publish((*subject).clone(), "{}".into()).await.unwrap();
        }
        for subject in few.iter().filter(|subject| !allowed.contains(&subject.as_str())) {
            payment.is_refused(&format!("Publish to \"{subject}\"")).await;
        }
    }
    // The server answers in order, so that these would have been refused by now.
    payment.may_not_publish("$JS.API.the.last").await;
    let refusals = payment.refusals.lock().unwrap().join("\n");
    for subject in allowed {
        assert!(asked.contains(subject) && !refusals.contains(&format!("\"{subject}\"")), "{refusals}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_may_ask_for_what_its_own_consumers_hold_and_nothing_else() {
    let pki = pki(&["nats", BROKER_INIT]);
    // It is called like a service, and is none.
    issue_readers(pki.path(), &[("payment", &["ordering"]), ("other", &["ordering", "payment"])]);
    let streams = broker_streams(&policy(pki.path()), Retention::default());
    let nats = secured_broker(pki.path()).keeping(streams, Some(pki.path()));
    let reader = Member::reader(&nats, &pki, "payment").await;
    let allowed = ["INFO", "MSG.NEXT"].map(|verb| format!("$JS.API.CONSUMER.{verb}.TW_PUBLIC_ORDERING.payment"));
    let mut asked = BTreeSet::new();
    for request in REQUESTS {
        for stream in ["TW_PUBLIC_ORDERING", "TW_PUBLIC_PAYMENT", "TW_ORDERING", "TW_PAYMENT"] {
            for consumer in ["payment", "other", "payment-0"] {
                let tokens = request.split('.').map(|token| match token {
                    "S" => stream,
                    "C" => consumer,
                    token => token,
                });
                asked.insert(tokens.collect::<Vec<_>>().join("."));
            }
        }
    }
    asked.extend(["ordering", "payment"].into_iter().flat_map(|context| {
        [
            format!("tw.{context}.0.frame"),
            format!("tw.public.{context}.0.OrderPlaced"),
            format!("tw.head.{context}"),
            format!("tw.wake.{context}"),
            format!("$JS.ACK.TW_{}.payment-0.1.1.1.1.0", context.to_uppercase()),
            "$JS.ACK.TW_PUBLIC_ORDERING.other.1.1.1.1.0".to_owned(),
            "_INBOX.payment.x".to_owned(),
        ]
    }));
    for few in asked.iter().collect::<Vec<_>>().chunks(16) {
        for subject in few {
            reader.client.publish((*subject).clone(), "{}".into()).await.unwrap();
        }
        for subject in few.iter().filter(|subject| !allowed.contains(subject)) {
            reader.is_refused(&format!("Publish to \"{subject}\"")).await;
        }
    }
    for subject in ["tw.>", "tw.ordering.>", "tw.public.ordering.>", "tw.head.payment", "tw.head.>", "_INBOX.>"] {
        reader.may_not_subscribe(subject).await;
    }
    for subject in ["_INBOX.payment.>", "_INBOX.READER.other.>", "_INBOX.READER.>", "$JS.ACK.>", "$KV.>"] {
        reader.may_not_subscribe(subject).await;
    }
    let refusals = reader.refusals.lock().unwrap().join("\n");
    for subject in allowed {
        assert!(asked.contains(&subject) && !refusals.contains(&format!("\"{subject}\"")), "{refusals}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_grant_nobody_is_let_in() {
    let pki = pki(&["nats", BROKER_INIT, "reporting"]);
    issue_readers(pki.path(), &[("known", &["ordering"])]);
    let nats = secured_broker(pki.path());
    // One is no reader, the other one has another grant than the broker knows of.
    issue_readers(pki.path(), &[("known", &["ordering", "payment"])]);
    for name in ["reporting", "known"] {
        let identity = Identity::load(IdentityFiles::in_dir(pki.path(), name)).unwrap();
        let options = ConnectOptions::new().tls_client_config(identity.client_config());
        let refused = options.connect(nats.url()).await.unwrap_err().to_string();
        assert!(refused.contains("authorization violation"), "{name}: {refused}");
    }
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
    assert_eq!(stream.cached_info().state.consumer_count, 4 * 16, "four contexts read it, in up to sixteen partitions");
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
        let read = services::names()
            .into_iter()
            .flat_map(|reader| policy.sources_of(reader).into_iter().map(move |source| (reader, source)));
        for (reader, source) in read {
            eventually(PATIENCE, &format!("{reader} acknowledges events of {source}"), async || {
                shop.offer(&Uuid::now_v7().to_string(), 900, 0).await;
                let placed = shop.operator.place(tea.order(1)).await;
                shop.operator.settled(&placed.order_id).await;
                shop.operator.hire(&format!("{}@example.com", Uuid::now_v7())).await;
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
