//! What readers, workers and the sequencer rely on, over both databases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;
use std::time::Duration;

use sea_orm::ConnectionTrait;
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{Script, statement};
use tradewind_testing::Database;
use uuid::Uuid;

use super::{Cursor, Store, StoreOptions};
use crate::Clock;
use crate::error::OVERTAKEN;
use crate::token::{self, Place};
use crate::tx::Part;

struct Bank {
    store: Store,
}

async fn open(database: &Database) -> Bank {
    let (url, clock) = (database.url(), Clock::system());
    let options = StoreOptions { url, context: "bank", migrations: Vec::new(), clock, partitions: None };
    Bank { store: Store::open(options).await.unwrap() }
}

async fn advance(bank: &Bank, from: u64, to: u64, incarnation: Uuid) -> Result<bool, Error> {
    let mut tx = bank.store.begin().await?;
    let at = |position| Cursor { position, incarnation, event: None };
    if !tx.move_cursor("reader", "shop", 0, at(from), at(to)) {
        return Ok(false);
    }
    match tx.commit().await {
        Err(error) if error.reason == OVERTAKEN => Ok(false),
        committed => committed.map(|_| true),
    }
}

/// Something that is written with a commit.
#[derive(Default)]
struct Note;

impl Part for Note {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn write(&mut self, script: &mut Script, _: OffsetDateTime) {
        script.start("INSERT INTO meta (key, value) VALUES ").row(["noted".into(), "".into()]);
    }
}

tradewind_testing::both_stores! {
    async fn a_cursor_moves_only_from_where_it_is(database: Database) {
        let bank = open(&database).await;
        let log = Uuid::new_v4();
        assert_eq!(bank.store.cursor("reader", "shop", 0).await.unwrap(), None);
        assert!(advance(&bank, 0, 3, log).await.unwrap(), "from the beginning");
        assert!(!advance(&bank, 0, 3, log).await.unwrap(), "somebody was faster");
        assert!(advance(&bank, 3, 9, log).await.unwrap());
        assert!(!advance(&bank, 3, 10, log).await.unwrap());
        assert!(!advance(&bank, 9, 5, log).await.unwrap(), "backwards");
        assert!(!advance(&bank, 9, 9, log).await.unwrap(), "on the spot");
        assert!(!advance(&bank, 9, 10, Uuid::new_v4()).await.unwrap(), "of another log");
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
        let (waited, moved) = tokio::join!(waiting, advance(&bank, 9, 10, log));
        assert!(moved.unwrap());
        waited.unwrap();
    }

    async fn what_somebody_else_has_read_already_has_no_effect(database: Database) {
        let bank = open(&database).await;
        let log = Uuid::new_v4();
        assert!(advance(&bank, 0, 3, log).await.unwrap());
        let mut tx = bank.store.begin().await.unwrap();
        tx.part::<Note>();
        let at = |position| Cursor { position, incarnation: log, event: None };
        assert!(tx.move_cursor("reader", "shop", 0, at(2), at(4)));
        assert_eq!(tx.commit().await.unwrap_err().reason, OVERTAKEN);
        let noted = statement(bank.store.backend(), "SELECT value FROM meta WHERE key = 'noted'", []);
        assert!(bank.store.read(noted).await.unwrap().is_empty());
        assert_eq!(bank.store.cursor("reader", "shop", 0).await.unwrap(), Some(at(3)));
    }

    async fn a_name_is_claimed_once_whoever_claims_with_it(database: Database) {
        let bank = open(&database).await;
        let mut tx = bank.store.begin().await.unwrap();
        assert!(tx.claim_reference("charge", "known", "order-1").await.unwrap());
        tx.commit().await.unwrap();
        // What is hoped for shows at the commit.
        for (claims, hoped, committed) in [
            ([("new", "order-2"), ("new", "order-3")], [true, false], true),
            ([("new", "order-2"), ("known", "order-1")], [true, true], true),
            ([("other", "order-2"), ("known", "order-2")], [true, true], false),
        ] {
            let mut tx = bank.store.begin().await.unwrap();
            tx.hope();
            let mut has = Vec::new();
            for (name, key) in claims {
                has.push(tx.claim_reference("charge", name, key).await.unwrap());
            }
            assert_eq!((has, tx.commit().await.is_ok()), (hoped.to_vec(), committed), "{claims:?}");
        }
        let mut tx = bank.store.begin().await.unwrap();
        for (kind, name, key, owns) in [
            ("charge", "known", "order-2", false),
            ("charge", "other", "order-3", true),
            ("refund", "known", "order-2", true),
        ] {
            assert_eq!(tx.claim_reference(kind, name, key).await.unwrap(), owns, "{kind} {name} {key}");
        }
    }

    async fn a_cursor_moved_by_two_at_once_moves_once(database: Database) {
        let bank = Arc::new(open(&database).await);
        let log = Uuid::new_v4();
        let movers = (0..8).map(|_| {
            let bank = Arc::clone(&bank);
            tokio::spawn(async move { advance(&bank, 0, 5, log).await.unwrap() })
        });
        let moved: Vec<bool> = futures::future::join_all(movers).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(moved.iter().filter(|moved| **moved).count(), 1);
    }

}

#[test]
fn a_batch_of_the_sequencer_brings_no_more_payload_than_a_page() {
    tradewind_testing::block_on(async {
        let database = Database::postgres();
        let bank = open(&database).await;
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
fn a_place_that_the_database_alone_knows_of_yet_can_be_waited_for() {
    tradewind_testing::block_on(async {
        let database = Database::postgres();
        let bank = open(&database).await;
        let placed = "INSERT INTO log (partition, position, stream, version) VALUES (0, 1, 's-1', 1)";
        bank.store.write(statement(bank.store.backend(), placed, [])).await.unwrap();
        bank.store.tails()[0].begin(0);
        bank.store.will_read("reader", "bank");
        let refused = async |position| {
            let token = token::format(&[bank.store.place(0, position)]);
            bank.store.wait_for("reader", &[token], Duration::ZERO).await.unwrap_err().reason
        };
        assert_eq!(refused(1).await, "POSITION_NOT_REACHED");
        assert_eq!(refused(2).await, "POSITION_TOKEN_FOREIGN");
    });
}

#[test]
fn a_lease_has_one_holder_and_a_new_epoch_for_each() {
    tradewind_testing::block_on(async {
        let database = Database::postgres();
        let bank = open(&database).await;
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
