//! When the owner of a log has lost commits and gone on: the same positions hold other events than those that were read.

use std::sync::atomic::Ordering;

use sea_orm::ConnectionTrait;
use tradewind_store::Store;
use tradewind_testing::{block_on, eventually};

use super::audit::{PATIENCE, Pair, count, deposit, open, query};
use super::loss::stored;

/// The bank's database after it has lost everything behind its first `kept` events.
pub(super) async fn lost(pair: &Pair, kept: u64) -> Store {
    let tx = pair.bank.begin().await.unwrap();
    for lost in ["DELETE FROM log WHERE position >", "DELETE FROM event WHERE version >"] {
        tx.conn().execute_unprepared(&format!("{lost} {kept}")).await.unwrap();
    }
    tx.conn().execute_unprepared(&format!("UPDATE cursor SET position = {kept}")).await.unwrap();
    tx.commit().await.unwrap();
    open(pair.bank_database(), "bank").await
}

/// Ten deposits are noted; then the owner loses the last five and takes ten others in their place, before its reader asks.
async fn another_history(pair: &mut Pair) {
    let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
    pair.deposit(&["a"], 10).await;
    pair.noted(10).await;
    bank.stop().await;
    audit.stop().await;
    pair.bank = lost(pair, 5).await;
    pair.owner.replace(&pair.bank);
    for _ in 0..10 {
        deposit(&pair.bank, "b", 1).await;
    }
}

/// Publishes what the bank's log holds behind a position, as a build before does: an event a message.
async fn publish(pair: &Pair, after: u64) {
    let client = async_nats::connect(pair.nats.url()).await.unwrap();
    let page = pair.bank.read_log(0, after, 100).await.unwrap();
    let mut before = page.after.unwrap();
    for event in page.events {
        let mut headers = async_nats::HeaderMap::new();
        for (name, value) in [
            ("ce-id", event.id.to_string()),
            ("ce-type", event.type_name.clone()),
            ("ce-time", "2026-11-21T10:00:00Z".to_owned()),
            ("tw-log", pair.bank.incarnation().to_string()),
            ("tw-after", before.to_string()),
            ("tw-stream", event.stream.to_string()),
            ("tw-version", event.version.to_string()),
            ("tw-partition", event.partition.to_string()),
            ("tw-position", event.position.to_string()),
        ] {
            headers.insert(name, value);
        }
        let subject = "tw.bank.0.account.Deposited";
        client.publish_with_headers(subject, headers, event.payload.into()).await.unwrap();
        before = event.id;
    }
    client.flush().await.unwrap();
}

async fn nothing_more_is_noted(pair: &Pair) {
    assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM seen").await, 10);
    assert_eq!(count(&pair.audit, "SELECT position FROM cursor WHERE consumer = 'audit'").await, 10);
}

#[test]
fn a_reader_stops_where_the_owners_log_has_another_event_at_its_cursor() {
    block_on(async {
        let mut pair = Pair::new().await;
        another_history(&mut pair).await;
        let audit = pair.start_audit().await;
        let asked = || pair.owner.asked.load(Ordering::SeqCst) > 1;
        eventually(PATIENCE, "the reader has asked the owner", async || asked()).await;
        audit.stop().await;
        nothing_more_is_noted(&pair).await;
    });
}

#[test]
fn a_message_that_does_not_follow_what_was_read_is_not_handled() {
    block_on(async {
        let mut pair = Pair::new().await;
        another_history(&mut pair).await;
        // The owner cannot be asked: there are only messages, which go on behind the cursor without a gap.
        pair.owner.away.store(true, Ordering::SeqCst);
        publish(&pair, 10).await;
        let audit = pair.start_audit().await;
        let stream = stored(&pair, 15).await;
        eventually(PATIENCE, "the reader has every message", async || {
            let consumer = stream.consumer_info("audit-0").await.map_err(|error| error.to_string())?;
            if consumer.num_pending == 0 { Ok(()) } else { Err(consumer.num_pending.to_string()) }
        })
        .await;
        audit.stop().await;
        nothing_more_is_noted(&pair).await;
    });
}

#[test]
fn what_a_build_before_has_published_is_read() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 10).await;
        pair.noted(10).await;
        bank.stop().await;
        // The owner cannot be asked, and nobody else publishes.
        pair.owner.away.store(true, Ordering::SeqCst);
        pair.deposit(&["a", "b"], 5).await;
        publish(&pair, 10).await;
        pair.noted(20).await;
        audit.stop().await;
    });
}

#[test]
fn a_log_of_another_incarnation_that_is_the_same_up_to_the_cursor_is_read_on() {
    block_on(async {
        let mut pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 10).await;
        pair.noted(10).await;
        bank.stop().await;
        audit.stop().await;
        let tx = pair.bank.begin().await.unwrap();
        let another = "UPDATE meta SET value = '0190163d-8694-739b-aea5-966c26f8ad91' WHERE key = 'incarnation'";
        tx.conn().execute_unprepared(another).await.unwrap();
        tx.commit().await.unwrap();
        pair.bank = open(pair.bank_database(), "bank").await;
        pair.owner.replace(&pair.bank);
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 10).await;
        pair.noted(20).await;
        audit.stop().await;
        bank.stop().await;
        let cursor = query(&pair.audit, "SELECT incarnation FROM cursor WHERE consumer = 'audit'", []);
        let cursor = pair.audit.reader().query_one_raw(cursor).await.unwrap().unwrap();
        let incarnation: String = cursor.try_get("", "incarnation").unwrap();
        assert_eq!(incarnation, pair.bank.incarnation().to_string());
    });
}

#[test]
fn an_event_behind_a_later_one_of_its_stream_stops_its_reader_until_that_is_started_again() {
    block_on(async {
        let mut pair = Pair::new().await;
        for account in ["b", "b", "a", "a"] {
            deposit(&pair.bank, account, 1).await;
        }
        let tx = pair.bank.begin().await.unwrap();
        for (from, to) in [(3, 9), (4, 3), (9, 4)] {
            let swap = format!("UPDATE log SET position = {to} WHERE position = {from}");
            tx.conn().execute_unprepared(&swap).await.unwrap();
        }
        tx.commit().await.unwrap();
        pair.bank = open(pair.bank_database(), "bank").await;
        pair.owner.replace(&pair.bank);
        let audit = pair.start_audit().await;
        let stopped = async || {
            let here = audit.stuck.all();
            if here.iter().any(|stuck| stuck.reason == "VERSION_OUT_OF_TURN") { Ok(()) } else { Err(here.len()) }
        };
        eventually(PATIENCE, "the reader has stopped", stopped).await;
        audit.stop().await;
        let reached = async || count(&pair.audit, "SELECT position FROM cursor WHERE consumer = 'audit'").await;
        assert_eq!(reached().await, 3, "what comes before it is done");
        let audit = pair.start_audit().await;
        let passed = async || if reached().await == 4 { Ok(()) } else { Err(reached().await) };
        eventually(PATIENCE, "the reader passes it", passed).await;
        audit.stop().await;
    });
}
