//! Whoever is outside and reads events: from the first one, on from where it stopped, and what the broker has lost from the owner.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::{HeaderMap, Subscriber};
use contracts::tradewind::eventlog::v1::{
    EventRecord, ReadKeyRequest, ReadLogRequest, event_log_service_client::EventLogServiceClient,
};
use contracts::tradewind::ordering::v1::{GetOrderRequest, OrderPlaced};
use futures::StreamExt;
use prost::Message;
use sea_orm::{ConnectionTrait, Statement};
use supervisor::services;
use tonic::Code;
use tradewind_mesh::Channel;
use tradewind_testing::{Database, eventually};

use crate::broker_permissions::Member;
use crate::shop::{Shop, in_a_shop_read_by};
use system_tests::PATIENCE;

/// An event, as a reader has it from either side.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    id: String,
    type_name: String,
    key: String,
    payload: Vec<u8>,
}

/// A reader outside, and what it remembers from one run to the next: all that it has read, by partition.
struct Reader<'a> {
    shop: &'a Shop,
    name: &'static str,
    context: &'static str,
    read: BTreeMap<u32, Vec<Seen>>,
    /// How many it had from the owner.
    fetched: usize,
}

impl<'a> Reader<'a> {
    fn new(shop: &'a Shop, name: &'static str, context: &'static str) -> Self {
        Self { shop, name, context, read: BTreeMap::new(), fetched: 0 }
    }

    async fn member(&self) -> Member {
        Member::reader(&self.shop.nats, self.shop.pki(), self.name).await
    }

    fn log(&self) -> EventLogServiceClient<Channel> {
        EventLogServiceClient::new(self.shop.channels(self.name).to(self.context).unwrap())
    }

    fn read_of(&mut self, partition: u32) -> &mut Vec<Seen> {
        self.read.entry(partition).or_default()
    }

    /// Reads until it has all that the log has.
    async fn run(&mut self) {
        let member = self.member().await;
        let heads = member.client.subscribe(format!("tw.head.{}", self.context)).await.unwrap();
        let all = self.shop.operator.log_of(self.context).await.len();
        tokio::time::timeout(PATIENCE, self.read_until(all, &member, heads)).await.unwrap_or_else(|_| {
            panic!("{} has {} of {all} events", self.name, self.read.values().map(Vec::len).sum::<usize>());
        });
    }

    async fn read_until(&mut self, all: usize, member: &Member, mut heads: Subscriber) {
        let stream = format!("TW_PUBLIC_{}", self.context.to_uppercase());
        while self.read.values().map(Vec::len).sum::<usize>() < all {
            let consumer = member.jetstream.get_consumer_from_stream(self.name, &stream).await;
            // There is none while whoever makes it has not come by.
            let Ok(consumer): Result<PullConsumer, _> = consumer else { continue };
            self.take(&consumer).await;
            // The last ones may be lost, and nothing comes after them.
            let head = String::from_utf8(heads.next().await.unwrap().payload.to_vec()).unwrap();
            let heads: Vec<u64> = head.split(' ').skip(1).map(|position| position.parse().unwrap()).collect();
            if self.take(&consumer).await == 0 {
                for (partition, head) in (0..).zip(heads) {
                    self.fetch(partition, head).await;
                }
            }
        }
    }

    /// Reads what the stream has; returns how many messages that were.
    async fn take(&mut self, consumer: &PullConsumer) -> usize {
        let fetch = consumer.fetch().max_messages(500).expires(Duration::from_secs(1));
        let Ok(mut messages) = fetch.messages().await else { return 0 };
        let mut taken = 0;
        while let Some(Ok(message)) = messages.next().await {
            let headers = message.headers.clone().unwrap();
            let (partition, position) = (number(&headers, "ce-partition"), number(&headers, "ce-position"));
            let partition = u32::try_from(partition).unwrap();
            self.fetch(partition, position - 1).await;
            let text = |name| said(&headers, name);
            if position == u64::try_from(self.read_of(partition).len()).unwrap() + 1 {
                let payload = message.payload.to_vec();
                let seen = Seen { id: text("ce-id"), type_name: text("ce-type"), key: text("ce-subject"), payload };
                self.read_of(partition).push(seen);
            }
            message.ack().await.unwrap();
            taken += 1;
        }
        taken
    }

    /// Reads of the owner what it lacks up to a position.
    async fn fetch(&mut self, partition: u32, until: u64) {
        loop {
            let after = u64::try_from(self.read_of(partition).len()).unwrap();
            if after >= until {
                return;
            }
            let request = ReadLogRequest { partition, after, limit: 100, ..ReadLogRequest::default() };
            let mut log = self.log();
            let page = eventually(PATIENCE, "the owner answers", async || log.read_log(request.clone()).await).await;
            let events = page.into_inner().events;
            assert!(!events.is_empty(), "the log ends before {until}");
            self.fetched += events.len();
            self.read_of(partition).extend(events.into_iter().map(seen));
        }
    }

    /// It has every event of the log once and in order.
    async fn has_all(&self) {
        let mut log: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for event in self.shop.operator.log_of(self.context).await {
            log.entry(event.partition).or_default().push(event.id);
        }
        let ids = |events: &Vec<Seen>| events.iter().map(|event| event.id.clone()).collect::<Vec<_>>();
        let read: BTreeMap<_, _> = self
            .read
            .iter()
            .filter(|(_, events)| !events.is_empty())
            .map(|(&partition, events)| (partition, ids(events)))
            .collect();
        assert_eq!(read, log);
    }
}

fn seen(event: EventRecord) -> Seen {
    let EventRecord { id, r#type, key, payload, .. } = event;
    Seen { id, type_name: r#type, key, payload }
}

fn said(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).unwrap_or_else(|| panic!("there is no {name}: {headers:?}")).as_str().to_owned()
}

fn number(headers: &HeaderMap, name: &str) -> u64 {
    said(headers, name).parse().unwrap()
}

#[test]
fn a_reader_begins_with_the_first_event_goes_on_where_it_stopped_and_loses_nothing_with_the_stream() {
    in_a_shop_read_by(&[("reporting", &["ordering"])], Database::postgres, async |shop: &mut Shop| {
        let tea = shop.offer("tea", 450, 1_000).await;
        let order = async |shop: &Shop| {
            let placed = shop.operator.place(tea.order(1)).await;
            shop.operator.settled(&placed.order_id).await;
            placed.order_id
        };
        let first = order(shop).await;
        let mut reader = Reader::new(shop, "reporting", "ordering");
        reader.run().await;
        reader.has_all().await;
        assert_eq!(reader.fetched, 0, "the stream has it all");
        let about: Vec<_> = reader.read.values().flatten().filter(|event| event.key == first).collect();
        assert_eq!(about.first().unwrap().type_name, "tradewind.ordering.v1.OrderPlaced");
        assert_eq!(OrderPlaced::decode(about[0].payload.as_slice()).unwrap().order_id, first);

        // What it has acknowledged does not come again.
        let before = reader.read.clone();
        order(shop).await;
        reader.run().await;
        reader.has_all().await;
        assert_eq!(reader.fetched, 0);
        assert!(before.iter().all(|(partition, events)| reader.read[partition].starts_with(events)));

        // Of these it reads none before the broker loses them all.
        order(shop).await;
        all_is_published(shop, "ordering").await;
        let Reader { read, .. } = reader;
        shop.nats.stop();
        shop.nats.wipe();
        let during = order(shop).await;
        shop.nats.start_again();
        let after = order(shop).await;
        let mut reader = Reader { read, ..Reader::new(shop, "reporting", "ordering") };
        reader.run().await;
        reader.has_all().await;
        assert!(reader.fetched > 0, "some were not in the stream any more");
        for order in [during, after] {
            assert!(reader.read.values().flatten().any(|event| event.key == order), "{order}");
        }
    });
}

/// Waits until the owner knows that its whole log is published, so that it publishes none of it again.
async fn all_is_published(shop: &Shop, context: &str) {
    let database = tradewind_sql::connect(&shop.database_url(context)).await.unwrap();
    let query = "SELECT CAST(SUM(position) AS bigint) AS done FROM cursor WHERE consumer = 'public'";
    eventually(PATIENCE, "everything is published", async || {
        let query = Statement::from_string(database.get_database_backend(), query);
        let row = database.query_one_raw(query).await.unwrap().unwrap();
        let done: Option<i64> = row.try_get("", "done").unwrap();
        let all = i64::try_from(shop.operator.log_heads(context).await.iter().sum::<u64>()).unwrap();
        if done == Some(all) { Ok(()) } else { Err(format!("{done:?} of {all}")) }
    })
    .await;
}

/// What is sensitive, as the orders of tests say it.
const SECRETS: [&str; 6] = ["A. Customer", "@example.com", "1 High Street", "Leeds", "LS1 4AP", "tok_ok"];

#[test]
fn nothing_that_a_reader_can_read_is_sensitive() {
    in_a_shop_read_by(&[("auditor", &services::names())], Database::sqlite, async |shop: &mut Shop| {
        let tea = shop.offer("tea", 450, 1_000).await;
        let placed = shop.operator.place(tea.order(1)).await;
        shop.operator.settled(&placed.order_id).await;
        shop.operator.hire("clerk@example.com").await;
        let contains = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let (mut events, mut secrets) = (0, 0);
        for context in services::names() {
            let mut reader = Reader::new(shop, "auditor", context);
            reader.run().await;
            reader.has_all().await;
            let by_broker: Vec<_> = reader.read.values().flatten().cloned().collect();
            let mut by_owner = Reader::new(shop, "auditor", context);
            for (&partition, read) in &reader.read {
                by_owner.fetch(partition, u64::try_from(read.len()).unwrap()).await;
            }
            assert_eq!(by_owner.read.values().flatten().cloned().collect::<Vec<_>>(), by_broker, "both say the same");
            let own: Vec<_> = shop.operator.log_of(context).await.iter().map(|event| event.payload.clone()).collect();
            for secret in SECRETS {
                secrets += own.iter().filter(|payload| contains(payload, secret)).count();
                let shown =
                    by_broker.iter().find(|event| contains(&event.payload, secret) || event.key.contains(secret));
                assert!(shown.is_none(), "{secret} is in {shown:?}");
            }
            events += by_broker.len();
        }
        assert!(events >= 10 && secrets >= 10, "{events} events, {secrets} secrets");
    });
}

#[test]
fn a_reader_calls_nothing_but_the_log_that_it_is_granted() {
    let readers: [(&str, &[&str]); 2] = [("reporting", &["ordering"]), ("staff", &["catalog"])];
    in_a_shop_read_by(&readers, Database::sqlite, async |shop: &mut Shop| {
        let log = |name: &str, service: &str| EventLogServiceClient::new(shop.channels(name).to(service).unwrap());
        log("reporting", "ordering").read_log(ReadLogRequest::default()).await.unwrap();
        let key = ReadKeyRequest { key: "k".to_owned(), ..ReadKeyRequest::default() };
        let refused = [
            log("reporting", "payment").read_log(ReadLogRequest::default()).await.map(drop),
            log("staff", "ordering").read_log(ReadLogRequest::default()).await.map(drop),
            log("reporting", "ordering").read_key(key).await.map(drop),
            shop.person("reporting")
                .ordering()
                .get_order(GetOrderRequest { order_id: "o".to_owned(), ..GetOrderRequest::default() })
                .await
                .map(drop),
        ];
        for refusal in refused {
            assert_eq!(refusal.unwrap_err().code(), Code::PermissionDenied);
        }
        // It has read another history, it says; nobody believes it, and the log goes on.
        let (id, incarnation) = ("019a0000-0000-7000-8000-000000000000", "019a0000-0000-4000-8000-000000000000");
        let claim = ReadLogRequest {
            after: 1_000_000,
            after_id: id.to_owned(),
            incarnation: incarnation.to_owned(),
            ..ReadLogRequest::default()
        };
        log("reporting", "ordering").read_log(claim).await.unwrap();
        let tea = shop.offer("tea", 450, 10).await;
        let placed = shop.operator.place(tea.order(1)).await;
        shop.operator.settled(&placed.order_id).await;
    });
}

/// Where nobody is granted a context, nothing is published for anybody.
#[test]
fn what_nobody_outside_may_read_is_not_published() {
    in_a_shop_read_by(&[("reporting", &["ordering"])], Database::sqlite, async |shop: &mut Shop| {
        let operator = Member::connect(&shop.nats, shop.pki(), "operator").await;
        let streams: Vec<_> = operator.jetstream.stream_names().collect::<Vec<_>>().await;
        let public: Vec<_> = streams.into_iter().map(Result::unwrap).filter(|name| name.contains("PUBLIC")).collect();
        assert_eq!(public, ["TW_PUBLIC_ORDERING"], "of {:?}", services::names());
    });
}
