//! What readers, workers and the sequencer rely on, over both databases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_testing::Database;
use uuid::Uuid;

use super::{Cursor, Store, StoreOptions};
use crate::sql::statement;
use crate::times::micros;
use crate::token::{self, Place};
use crate::{Clock, Metadata, NewIntent, Recorded, RequestKey, StreamName};

/// A store whose clock stands still until it is moved.
struct Stopped {
    store: Store,
    seconds: Arc<AtomicI64>,
}

impl Stopped {
    async fn open(database: &Database) -> Self {
        let seconds = Arc::new(AtomicI64::new(1_000));
        let told = Arc::clone(&seconds);
        let clock = Clock::from_fn(move || at(told.load(Ordering::SeqCst)));
        let (url, migrations) = (database.url(), Vec::new());
        let store = Store::open(StoreOptions { url, context: "bank", migrations, clock, partitions: None }).await;
        Self { store: store.unwrap(), seconds }
    }

    fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn intend(&self, key: &str, action: &str) {
        let mut tx = self.store.begin().await.unwrap();
        tx.intend(charge(key, action)).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn claim(&self, holder: &str, limit: usize) -> Vec<super::ClaimedIntent> {
        self.store.claim_intents("charge", holder, limit, self.store.now() + Duration::from_secs(30)).await.unwrap()
    }

    async fn settle(&self, intent: &super::ClaimedIntent) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let ours = tx.delete_intents("charge", &[(&intent.key, intent.generation)]).await.unwrap();
        tx.commit().await.unwrap();
        ours.contains(&intent.key)
    }

    /// Puts an event into partition 0 of the log, at the position that is its version.
    async fn record(&self, stream: &str, version: i64, seconds: i64) {
        let event = "INSERT INTO event (stream, version, id, type, payload, partition_key, partition, time, correlation, \
             causation, traceparent) VALUES ($1, $2, $3, '', $4, '', 0, $5, '', '', '')";
        let log = "INSERT INTO log (partition, position, stream, version) VALUES (0, $2, $1, $2)";
        let backend = self.store.backend();
        let tx = self.store.begin().await.unwrap();
        let payload: Vec<u8> = Vec::new();
        let values = [stream.into(), version.into(), Uuid::new_v4().into(), payload.into(), micros(at(seconds)).into()];
        tx.conn().execute_raw(statement(backend, event, values)).await.unwrap();
        if backend == DbBackend::Postgres {
            tx.conn().execute_raw(statement(backend, log, [stream.into(), version.into()])).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn advance(&self, from: u64, to: u64, incarnation: Uuid) -> Result<bool, Error> {
        let mut tx = self.store.begin().await?;
        let at = |position| Cursor { position, incarnation, event: None };
        let moved = tx.advance_cursor("reader", "shop", 0, at(from), at(to)).await?;
        tx.commit().await.map(|_| moved)
    }
}

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds)
}

fn charge(key: &str, action: &str) -> NewIntent {
    NewIntent { kind: "charge", key: key.to_owned(), action: action.to_owned(), payload: vec![1, 2, 3] }
}

tradewind_testing::both_stores! {
    async fn an_intent_is_one_workers_until_its_claim_lapses(database: Database) {
        let bank = Stopped::open(&database).await;
        bank.intend("o1", "charge").await;
        assert_eq!(bank.store.next_intent("charge").await.unwrap(), Some(at(1_000)));
        let claimed = bank.claim("one", 10).await;
        assert_eq!(claimed.len(), 1);
        assert_eq!((claimed[0].key.as_str(), claimed[0].action.as_str(), claimed[0].attempt), ("o1", "charge", 0));
        assert_eq!(claimed[0].payload, [1, 2, 3]);
        assert_eq!(claimed[0].cause.correlation, "o1");
        assert!(bank.claim("two", 10).await.is_empty());
        assert_eq!(bank.store.next_intent("charge").await.unwrap(), Some(at(1_030)));
        bank.pass(30);
        assert_eq!(bank.claim("two", 10).await, claimed);
        assert!(bank.settle(&claimed[0]).await);
        assert!(!bank.settle(&claimed[0]).await, "settled once");
        assert_eq!(bank.store.next_intent("charge").await.unwrap(), None);
    }

    async fn what_comes_of_a_replaced_intent_is_dropped(database: Database) {
        let bank = Stopped::open(&database).await;
        bank.intend("o1", "charge").await;
        let charging = bank.claim("one", 1).await.remove(0);
        bank.intend("o1", "void").await;
        assert!(!bank.settle(&charging).await);
        let later = bank.store.now();
        assert!(!bank.store.release_intent("charge", "o1", charging.generation, 1, later, "timeout").await.unwrap());
        let voiding = bank.claim("one", 1).await.remove(0);
        assert_eq!((voiding.action.as_str(), voiding.attempt), ("void", 0));
        assert!(bank.settle(&voiding).await);
        // Even when it was gone in between.
        bank.intend("o1", "charge").await;
        assert!(!bank.settle(&charging).await && !bank.settle(&voiding).await);
    }

    async fn a_failed_attempt_is_due_later(database: Database) {
        let bank = Stopped::open(&database).await;
        bank.intend("o1", "charge").await;
        let claimed = bank.claim("one", 1).await.remove(0);
        let due = bank.store.now() + Duration::from_secs(5);
        assert!(bank.store.release_intent("charge", "o1", claimed.generation, 1, due, "timeout").await.unwrap());
        assert!(bank.claim("one", 1).await.is_empty());
        bank.pass(5);
        assert_eq!(bank.claim("one", 1).await[0].attempt, 1);
    }

    async fn an_intent_can_be_withdrawn_written_or_not(database: Database) {
        let bank = Stopped::open(&database).await;
        bank.intend("o1", "charge").await;
        let mut tx = bank.store.begin().await.unwrap();
        tx.intend(charge("o2", "charge")).await.unwrap();
        assert!(tx.withdraw("charge", "o1").await.unwrap());
        assert!(tx.withdraw("charge", "o2").await.unwrap());
        assert!(!tx.withdraw("charge", "o3").await.unwrap());
        tx.commit().await.unwrap();
        assert!(bank.claim("one", 10).await.is_empty());
    }

    async fn workers_at_the_same_time_share_the_intents(database: Database) {
        let bank = Arc::new(Stopped::open(&database).await);
        let mut tx = bank.store.begin().await.unwrap();
        for index in 0..100 {
            tx.intend(charge(&format!("o{index}"), "charge")).await.unwrap();
        }
        tx.commit().await.unwrap();
        let workers = (0..8).map(|worker| {
            let bank = Arc::clone(&bank);
            tokio::spawn(async move {
                let mut keys = Vec::new();
                loop {
                    let claimed = bank.claim(&worker.to_string(), 7).await;
                    if claimed.is_empty() {
                        return keys;
                    }
                    keys.extend(claimed.into_iter().map(|intent| intent.key));
                }
            })
        });
        let mut keys: Vec<String> =
            futures::future::join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 100);
    }

    async fn a_timer_fires_once_at_the_time_it_was_last_set_to(database: Database) {
        let bank = Stopped::open(&database).await;
        let schedule = async |key: &str, due: i64| {
            let mut tx = bank.store.begin().await.unwrap();
            tx.schedule("deadline", key, at(due), vec![7]).await.unwrap();
            tx.commit().await.unwrap();
        };
        let fire = async |key: &str, due: i64| {
            let mut tx = bank.store.begin().await.unwrap();
            let ours = tx.delete_timer("deadline", key, at(due)).await.unwrap();
            tx.commit().await.unwrap();
            ours
        };
        let mut changed = bank.store.timers_changed("deadline");
        schedule("o1", 1_010).await;
        assert!(changed.has_changed().unwrap());
        changed.mark_unchanged();
        schedule("o2", 1_005).await;
        assert_eq!(bank.store.next_timer("deadline").await.unwrap(), Some(at(1_005)));
        assert!(bank.store.due_timers("deadline", 10).await.unwrap().is_empty());
        bank.pass(10);
        let due = bank.store.due_timers("deadline", 10).await.unwrap();
        assert_eq!(due.iter().map(|timer| timer.key.as_str()).collect::<Vec<_>>(), ["o2", "o1"]);
        assert_eq!((due[0].due, due[0].payload.as_slice()), (at(1_005), [7].as_slice()));
        schedule("o2", 1_020).await;
        assert!(!fire("o2", 1_005).await, "it was set to another time");
        assert!(fire("o1", 1_010).await);
        assert!(!fire("o1", 1_010).await, "it has fired");
        let mut tx = bank.store.begin().await.unwrap();
        tx.cancel_timer("deadline", "o2").await.unwrap();
        tx.cancel_timer("deadline", "unknown").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(bank.store.next_timer("deadline").await.unwrap(), None);
    }

    async fn a_cursor_moves_only_from_where_it_is(database: Database) {
        let bank = Stopped::open(&database).await;
        let log = Uuid::new_v4();
        assert_eq!(bank.store.cursor("reader", "shop", 0).await.unwrap(), None);
        assert!(bank.advance(0, 3, log).await.unwrap(), "from the beginning");
        assert!(!bank.advance(0, 3, log).await.unwrap(), "somebody was faster");
        assert!(bank.advance(3, 9, log).await.unwrap());
        assert!(!bank.advance(3, 10, log).await.unwrap());
        assert!(!bank.advance(9, 5, log).await.unwrap(), "backwards");
        assert!(!bank.advance(9, 9, log).await.unwrap(), "on the spot");
        assert!(!bank.advance(9, 10, Uuid::new_v4()).await.unwrap(), "of another log");
        let cursor = bank.store.cursor("reader", "shop", 0).await.unwrap().unwrap();
        assert_eq!((cursor.position, cursor.incarnation), (9, log));
        let soon = Duration::from_secs(5);
        bank.store.will_read("reader", "shop");
        bank.store.note_log("shop", log, 1);
        let token = |position| {
            [token::format(&[Place { context: "shop".to_owned(), log: Some(token::log(log)), partition: 0, position }])]
        };
        let (reached, next) = (token(9), token(10));
        bank.store.wait_for("reader", &reached, soon).await.unwrap();
        let waiting = bank.store.wait_for("reader", &next, soon);
        let (waited, moved) = tokio::join!(waiting, bank.advance(9, 10, log));
        assert!(moved.unwrap());
        waited.unwrap();
    }

    async fn a_cursor_moved_by_two_at_once_moves_once(database: Database) {
        let bank = Arc::new(Stopped::open(&database).await);
        let log = Uuid::new_v4();
        let movers = (0..8).map(|_| {
            let bank = Arc::clone(&bank);
            tokio::spawn(async move { bank.advance(0, 5, log).await.unwrap() })
        });
        let moved: Vec<bool> = futures::future::join_all(movers).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(moved.iter().filter(|moved| **moved).count(), 1);
    }

    async fn a_parked_stream_is_known(database: Database) {
        let bank = Stopped::open(&database).await;
        let event = Recorded {
            id: Uuid::new_v4(),
            stream: StreamName::from("order-1"),
            version: 2,
            partition: 0,
            position: 7,
            type_name: "tradewind.shop.v1.OrderPlaced".to_owned(),
            payload: vec![1],
            time: bank.store.now(),
            metadata: Metadata::default(),
        };
        for _ in 0..2 {
            let mut tx = bank.store.begin().await.unwrap();
            tx.park("reader", "shop", &event, "INTERNAL", "a defect", 5).await.unwrap();
            tx.commit().await.unwrap();
        }
        let parked = bank.store.parked_streams("reader", "shop").await.unwrap();
        assert_eq!(parked.into_iter().collect::<Vec<_>>(), [event.stream]);
        assert!(bank.store.parked_streams("another", "shop").await.unwrap().is_empty());
    }

    async fn only_responses_beyond_their_retention_are_pruned_a_step_at_a_time(database: Database) {
        let bank = Stopped::open(&database).await;
        let remember = async |id: u32| {
            let mut tx = bank.store.begin().await.unwrap();
            let request = RequestKey::new("ann", "/bank/Open", &id.to_string(), &(), &()).unwrap().unwrap();
            tx.remember(&request, &()).await.unwrap();
            tx.commit().await.unwrap();
        };
        for id in 0..5 {
            remember(id).await;
        }
        bank.pass(60);
        remember(5).await;
        let prune = async |retention| bank.store.prune_requests(Duration::from_secs(retention), 3).await.unwrap();
        assert_eq!(prune(u64::MAX).await, 0);
        assert_eq!(prune(61).await, 0);
        assert_eq!(prune(30).await, 3);
        assert_eq!(prune(30).await, 2);
        assert_eq!(prune(30).await, 0);
        let mut tx = bank.store.begin().await.unwrap();
        let young = RequestKey::new("ann", "/bank/Open", "5", &(), &()).unwrap().unwrap();
        assert_eq!(tx.recall::<()>(&young).await.unwrap(), Some(()));
    }

    async fn the_oldest_unpublished_event_is_known(database: Database) {
        let bank = Stopped::open(&database).await;
        assert_eq!(bank.store.oldest_unpublished().await.unwrap(), None);
        bank.record("a", 1, 10).await;
        bank.record("a", 2, 20).await;
        assert_eq!(bank.store.oldest_unpublished().await.unwrap(), Some(at(10)));
        let publish = async |from, to| {
            let mut tx = bank.store.begin().await.unwrap();
            let at = |position| Cursor { position, incarnation: bank.store.incarnation(), event: None };
            assert!(tx.advance_cursor("relay", "bank", 0, at(from), at(to)).await.unwrap());
            tx.commit().await.unwrap();
        };
        publish(0, 1).await;
        assert_eq!(bank.store.oldest_unpublished().await.unwrap(), Some(at(20)));
        publish(1, 2).await;
        assert_eq!(bank.store.oldest_unpublished().await.unwrap(), None);
    }

    async fn a_pause_is_the_first_ones_until_it_is_resumed(database: Database) {
        let bank = Stopped::open(&database).await;
        let first = bank.store.pause_consumer("audit", "ann", "a bad release").await.unwrap();
        bank.pass(60);
        assert_eq!(bank.store.pause_consumer("audit", "ben", "me too").await.unwrap(), first);
        assert_eq!((first.by.as_str(), first.reason.as_str()), ("ann", "a bad release"));
        assert_eq!(bank.store.paused_consumers().await.unwrap(), [first]);
        assert!(bank.store.resume_consumer("audit").await.unwrap());
        assert!(!bank.store.resume_consumer("audit").await.unwrap());
        assert_eq!(bank.store.paused_consumers().await.unwrap(), []);
    }
}

#[test]
fn a_batch_of_the_sequencer_brings_no_more_payload_than_a_page() {
    tradewind_testing::block_on(async {
        let database = Database::postgres();
        let bank = Stopped::open(&database).await;
        let backend = bank.store.backend();
        let epoch = bank.store.acquire_lease("sequencer", "one", Duration::from_secs(3600)).await.unwrap().unwrap();
        let rows = [
            "INSERT INTO event (stream, version, id, type, payload, partition_key, partition, time, correlation, causation, \
             traceparent) SELECT 's-1', v, gen_random_uuid(), '', CONVERT_TO(REPEAT('x', $1::int), 'UTF8'), '', 0, 0, '', '', \
             '' FROM GENERATE_SERIES(1, 9) v",
            "INSERT INTO outbox (partition, stream, version) SELECT 0, 's-1', v FROM GENERATE_SERIES(1, 9) v WHERE $1 > 0",
        ];
        let tx = bank.store.begin().await.unwrap();
        for row in rows {
            tx.conn().execute_raw(statement(backend, row, [900_000.into()])).await.unwrap();
        }
        tx.commit().await.unwrap();
        bank.store.tails()[0].begin(0);
        let moved = bank.store.move_batch("one", epoch, Duration::from_secs(3600), 0).await.unwrap().unwrap();
        let sizes: Vec<_> = moved.events.iter().map(|event| event.payload.len()).collect();
        assert_eq!(sizes, [900_000, 900_000, 0, 0, 0, 0, 0, 0, 0], "all are in the log");
        bank.store.placed(moved);
        let mut after = 0;
        while after < 9 {
            let page = bank.store.follow_log(0, after, 512).await.unwrap();
            assert!(page.events.iter().all(|event| event.payload.len() == 900_000) && page.head == 9);
            after = page.events.last().unwrap().position;
        }
    });
}

#[test]
fn a_lease_has_one_holder_and_a_new_epoch_for_each() {
    tradewind_testing::block_on(async {
        let database = Database::postgres();
        let bank = Stopped::open(&database).await;
        let long = Duration::from_secs(3600);
        let take = async |holder, ttl| bank.store.acquire_lease("sequencer", holder, ttl).await.unwrap();
        let hold = async |holder, epoch, ttl| bank.store.move_batch(holder, epoch, ttl, 0).await.unwrap().is_some();
        assert_eq!(take("one", Duration::ZERO).await, Some(1));
        assert_eq!(take("one", long).await, Some(1), "renewed");
        assert_eq!(take("two", long).await, None);
        assert!(hold("one", 1, Duration::ZERO).await);
        assert_eq!(take("two", long).await, Some(2), "lapsed");
        assert!(!hold("one", 1, long).await, "fenced off");
        bank.store.release_lease("sequencer", "two", 2).await.unwrap();
        assert_eq!(take("one", long).await, Some(3), "given back");
    });
}
