//! A reader that cannot get past a position says so, wherever operators look, until it can.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sea_orm::ConnectionTrait;
use tradewind_events::{Reactions, Stuck};
use tradewind_operate::Consumers;
use tradewind_runtime::Engine;
use tradewind_testing::{Database, block_on, eventually};

use super::audit::{NoteDeposit, PATIENCE, Pair, connect, count, deposit, open};

/// The consumers as another replica than the reader's lists them.
async fn consumers(pair: &Pair) -> Consumers {
    let replica = open(pair.audit_database(), "audit").await;
    let reactions = Reactions::new("audit").on("note_on_deposited", NoteDeposit::new(&replica));
    Engine::new(replica, connect(&pair.nats).await, Arc::new(pair.owner.clone())).reactions(reactions).consumers()
}

async fn listed(consumers: &Consumers) -> Option<Stuck> {
    consumers.list().await.unwrap().remove(0).sources.remove(0).partitions.remove(0).stuck
}

async fn says_so_until_it_can(database: Database) {
    let mut pair = Pair::between(Database::sqlite(), database).await;
    pair.nats.stop();
    let (bank, audit, consumers) = (pair.start_bank().await, pair.start_audit().await, consumers(&pair).await);
    pair.deposit(&["a"], 3).await;
    pair.noted(3).await;
    assert_eq!((audit.stuck.all(), listed(&consumers).await), (Vec::new(), None));

    pair.owner.broken.store(true, Ordering::SeqCst);
    pair.deposit(&["a"], 1).await;
    let here = eventually(PATIENCE, "it is stuck", async || audit.stuck.all().pop().ok_or("it is not")).await;
    assert_eq!((here.consumer.as_str(), here.source.as_str(), here.partition, here.position), ("audit", "bank", 0, 3));
    assert_eq!((here.reason.as_str(), here.error.as_str()), ("LOG_UNREADABLE", "the page makes no sense"));
    eventually(PATIENCE, "every replica lists it", async || listed(&consumers).await == Some(here.clone())).await;

    pair.owner.broken.store(false, Ordering::SeqCst);
    pair.noted(4).await;
    eventually(PATIENCE, "nothing is stuck", async || {
        audit.stuck.all().is_empty() && listed(&consumers).await.is_none()
    })
    .await;
    audit.stop().await;
    bank.stop().await;
}

#[test]
fn a_reader_that_cannot_get_on_says_so_until_it_can() {
    block_on(says_so_until_it_can(Database::sqlite()));
}

#[test]
fn a_reader_that_cannot_get_on_says_so_until_it_can_on_postgres() {
    block_on(says_so_until_it_can(Database::postgres()));
}

#[test]
fn a_reader_whose_cursor_cannot_be_read_says_so() {
    block_on(async {
        let pair = Pair::new().await;
        let change = async |text: &str| {
            let tx = pair.audit.begin().await.unwrap();
            tx.conn().execute_unprepared(text).await.unwrap();
            tx.commit().await.unwrap();
        };
        change("ALTER TABLE cursor RENAME TO elsewhere").await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        let here = eventually(PATIENCE, "it is stuck", async || audit.stuck.all().pop().ok_or("it is not")).await;
        assert_eq!((here.source.as_str(), here.reason.as_str()), ("bank", "INTERNAL"), "{}", here.error);
        change("ALTER TABLE elsewhere RENAME TO cursor").await;
        pair.deposit(&["a"], 1).await;
        pair.noted(1).await;
        eventually(PATIENCE, "nothing is stuck", async || audit.stuck.all().is_empty()).await;
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn a_reader_that_has_stopped_for_good_is_stuck_too() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit, consumers) = (pair.start_bank().await, pair.start_audit().await, consumers(&pair).await);
        pair.deposit(&["a"], 3).await;
        pair.noted(3).await;
        bank.stop().await;
        let database = Database::sqlite();
        pair.owner.replace(&open(&database, "bank").await);
        eventually(PATIENCE, "it is listed", async || match listed(&consumers).await {
            Some(stuck) if stuck.reason == "LOG_REPLACED" => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        let stuck = audit.stuck.clone();
        audit.stop().await;
        assert_eq!(stuck.all(), []);
    });
}

#[test]
fn an_owner_that_is_away_keeps_nobody_who_has_read_everything() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 3).await;
        pair.noted(3).await;
        pair.owner.away.store(true, Ordering::SeqCst);
        deposit(&pair.bank, "b", 1).await;
        pair.noted(4).await;
        assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM stuck").await, 0);
        audit.stop().await;
        bank.stop().await;
    });
}
