//! When the broker loses messages, itself, or everything; and when the owner loses its log.

use std::sync::atomic::Ordering;

use async_nats::jetstream;
use prost::Message;
use sea_orm::ConnectionTrait;
use tradewind_store::Store;
use tradewind_testing::{Database, block_on, eventually};

use super::audit::{PATIENCE, Pair, count, open};

const STREAM: &str = "TW_BANK";

async fn jetstream(pair: &Pair) -> jetstream::Context {
    jetstream::new(async_nats::connect(pair.nats.url()).await.unwrap())
}

/// What of a frame says how many events it holds, as a program of another language would read it.
#[derive(Clone, PartialEq, prost::Message)]
struct Frame {
    #[prost(bytes = "bytes", repeated, tag = "7")]
    events: Vec<bytes::Bytes>,
}

/// How many events the broker holds.
async fn held(stream: &mut jetstream::stream::Stream) -> Result<usize, String> {
    let state = stream.info().await.map_err(|error| error.to_string())?.state.clone();
    let mut events = 0;
    for sequence in state.first_sequence..=state.last_sequence {
        // One in between may be deleted.
        let Ok(message) = stream.get_raw_message(sequence).await else { continue };
        // What a build before has sent is an event by itself.
        let alone = message.headers.get("ce-id").is_some();
        events +=
            if alone { 1 } else { Frame::decode(message.payload).map_err(|error| error.to_string())?.events.len() };
    }
    Ok(events)
}

/// Waits until the broker holds `events`, so that it knows what it is to lose. What was published but not acknowledged is published
/// again: harmless, and more than once there.
pub(super) async fn stored(pair: &Pair, events: usize) -> jetstream::stream::Stream {
    let jetstream = jetstream(pair).await;
    eventually(PATIENCE, &format!("the broker holds {events} events"), async || {
        let mut stream = jetstream.get_stream(STREAM).await.map_err(|error| error.to_string())?;
        let held = held(&mut stream).await?;
        if held >= events { Ok(stream) } else { Err(format!("{held}")) }
    })
    .await
}

async fn consumer_exists(pair: &Pair) {
    let jetstream = jetstream(pair).await;
    eventually(PATIENCE, "the consumer exists", async || {
        let stream = jetstream.get_stream(STREAM).await.map_err(|error| error.to_string())?;
        stream.consumer_info("audit-0").await.map(drop).map_err(|error| error.to_string())
    })
    .await;
}

#[test]
fn while_the_broker_is_down_events_travel_through_their_owner() {
    block_on(async {
        let mut pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a", "b"], 20).await;
        pair.noted(40).await;
        pair.nats.stop();
        pair.deposit(&["a", "b"], 20).await;
        pair.noted(80).await;
        pair.nats.start_again();
        pair.deposit(&["a", "b"], 20).await;
        pair.noted(120).await;
        // What happened while it was down is published after all.
        stored(&pair, 120).await;
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn a_broker_that_was_never_there_is_not_missed() {
    block_on(async {
        let mut pair = Pair::new().await;
        pair.nats.stop();
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a", "b"], 20).await;
        pair.noted(40).await;
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn a_broker_wiped_in_the_middle_loses_nothing() {
    block_on(async {
        let mut pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        let mut expected = 0;
        for _ in 0..3 {
            pair.deposit(&["a", "b", "c"], 20).await;
            pair.nats.stop();
            pair.nats.wipe();
            pair.deposit(&["a", "b", "c"], 20).await;
            pair.nats.start_again();
            pair.deposit(&["a", "b", "c"], 20).await;
            expected += 180;
            pair.noted(expected).await;
        }
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn a_stream_deleted_under_the_relay_is_made_again() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 10).await;
        stored(&pair, 10).await;
        jetstream(&pair).await.delete_stream(STREAM).await.unwrap();
        pair.deposit(&["a"], 10).await;
        pair.noted(20).await;
        stored(&pair, 10).await;
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn single_messages_that_are_lost_are_fetched_the_last_ones_too() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        // The consumer exists, and has read the first message, which is there: it may have come from its owner.
        pair.deposit(&["a"], 1).await;
        pair.noted(1).await;
        stored(&pair, 1).await;
        consumer_exists(&pair).await;
        audit.stop().await;

        // Each goes out before the next is there, alone.
        for events in 2..=9 {
            pair.deposit(&["a"], 1).await;
            stored(&pair, events).await;
        }
        pair.deposit(&["a"], 1).await;
        let stream = stored(&pair, 10).await;
        for lost in [4, 9, 10] {
            assert!(stream.delete_message(lost).await.unwrap());
        }
        pair.owner.away.store(true, Ordering::SeqCst);
        let audit = pair.start_audit().await;
        // Without the owner it gets as far as the first gap.
        pair.noted(3).await;
        pair.owner.away.store(false, Ordering::SeqCst);
        pair.noted(10).await;
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn what_waits_for_the_broker_goes_out_together() {
    block_on(async {
        let mut pair = Pair::new().await;
        pair.nats.stop();
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a", "b"], 150).await;
        pair.nats.start_again();
        let mut stream = stored(&pair, 300).await;
        // As many as go together, and then the rest.
        assert_eq!(stream.info().await.unwrap().state.messages, 2);
        pair.noted(300).await;
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn a_frame_of_which_a_part_was_read_is_read_from_there() {
    block_on(async {
        let mut pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 1).await;
        pair.noted(1).await;
        // The audit may have it from its owner before the broker has.
        stored(&pair, 1).await;
        consumer_exists(&pair).await;
        audit.stop().await;
        bank.stop().await;
        pair.deposit(&["a"], 9).await;
        let tx = pair.bank.begin().await.unwrap();
        tx.conn().execute_unprepared("UPDATE cursor SET position = 0 WHERE consumer = 'relay'").await.unwrap();
        tx.commit().await.unwrap();
        pair.bank = open(pair.bank_database(), "bank").await;
        pair.owner.replace(&pair.bank);
        let bank = pair.start_bank().await;
        stored(&pair, 11).await;
        pair.owner.away.store(true, Ordering::SeqCst);
        let audit = pair.start_audit().await;
        pair.noted(10).await;
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn a_consumer_lost_under_a_running_reader_is_noticed() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 1).await;
        pair.noted(1).await;
        consumer_exists(&pair).await;
        jetstream(&pair).await.delete_consumer_from_stream("audit-0", STREAM).await.unwrap();
        pair.deposit(&["a"], 10).await;
        pair.noted(11).await;
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn a_heartbeat_ahead_of_the_cursor_tells_of_a_loss_nothing_follows() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 1).await;
        pair.noted(1).await;
        consumer_exists(&pair).await;
        bank.stop().await;
        // Nobody publishes these.
        pair.deposit(&["a"], 5).await;
        let client = async_nats::connect(pair.nats.url()).await.unwrap();
        let heartbeat = format!("{} 6", pair.bank.incarnation());
        let before = std::time::Instant::now();
        eventually(PATIENCE, "the reader has followed the heartbeat", async || {
            client.publish("tw.head.bank", heartbeat.clone().into()).await.unwrap();
            count(&pair.audit, "SELECT COUNT(*) FROM seen").await == 6
        })
        .await;
        assert!(before.elapsed() < std::time::Duration::from_secs(10), "it would have asked by itself by now");
        audit.stop().await;
    });
}

/// Waits until the owner has been asked how many partitions it has, and then by the reader for what follows its cursor.
async fn asked_by_reader(pair: &Pair) {
    eventually(PATIENCE, "the reader has asked the owner", async || pair.owner.asked.load(Ordering::SeqCst) > 1).await;
}

async fn another_bank() -> (Database, Store) {
    let database = Database::sqlite();
    let store = open(&database, "bank").await;
    (database, store)
}

#[test]
fn an_owner_with_another_log_stops_its_reader() {
    block_on(async {
        let mut pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 10).await;
        pair.noted(10).await;
        bank.stop().await;
        audit.stop().await;

        let (_database, other) = another_bank().await;
        pair.bank = other;
        pair.owner.replace(&pair.bank);
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["b"], 20).await;
        stored(&pair, 30).await;
        asked_by_reader(&pair).await;
        audit.stop().await;
        bank.stop().await;
        assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM seen").await, 10);
        assert_eq!(count(&pair.audit, "SELECT position FROM cursor WHERE consumer = 'audit'").await, 10);
    });
}

#[test]
fn an_owner_whose_log_ends_before_the_cursor_stops_its_reader() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 10).await;
        pair.noted(10).await;
        bank.stop().await;
        audit.stop().await;

        // As after a restore from a backup.
        let tx = pair.bank.begin().await.unwrap();
        tx.conn().execute_unprepared("DELETE FROM log WHERE position > 5").await.unwrap();
        tx.conn().execute_unprepared("DELETE FROM event WHERE version > 5").await.unwrap();
        tx.commit().await.unwrap();
        let restored = open(pair.bank_database(), "bank").await;
        pair.owner.replace(&restored);
        let audit = pair.start_audit().await;
        asked_by_reader(&pair).await;
        eventually(PATIENCE, "the owner has heard of it, too", async || {
            let said = count(&restored, "SELECT COUNT(*) FROM meta WHERE key = 'disputed by a reader'").await;
            if said == 1 { Ok(()) } else { Err(said) }
        })
        .await;
        audit.stop().await;
        assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM seen").await, 10);
        assert_eq!(count(&pair.audit, "SELECT position FROM cursor WHERE consumer = 'audit'").await, 10);
    });
}
