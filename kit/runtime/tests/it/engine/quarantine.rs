//! When an event cannot be handled: for the moment, or ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prost::Name;
use sea_orm::ConnectionTrait;
use tradewind_domain::{DecodeError, EventSet};
use tradewind_store::StreamName;
use tradewind_testing::account::{AccountEvent, Deposited};
use tradewind_testing::{block_on, eventually};

use super::audit::{NoteDeposit, PATIENCE, Pair, count, deposit, query};

/// A deposit whose body is no protobuf message.
#[derive(Clone, Debug)]
struct Garbled;

impl EventSet for Garbled {
    fn type_names() -> Vec<String> {
        vec![Deposited::full_name()]
    }

    fn type_name(&self) -> String {
        Deposited::full_name()
    }

    fn encode(&self) -> Vec<u8> {
        vec![0xff; 3]
    }

    fn decode(type_name: &str, _: &[u8]) -> Result<Self, DecodeError> {
        Err(DecodeError::UnknownType(type_name.to_owned()))
    }
}

/// Appends an event that nobody can read to an account at this version.
pub(super) async fn garble(pair: &Pair, id: &str, version: u64) {
    let mut tx = pair.bank.begin().await.unwrap();
    tx.append(&StreamName::from(format!("account-{id}")), version, id, vec![Garbled]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Appends deposits of 1 to an account at this version, as a context does that keeps its state in tables.
pub(super) async fn append(pair: &Pair, id: &str, version: u64, deposits: usize) {
    let events: Vec<AccountEvent> = vec![Deposited { amount: 1 }.into(); deposits];
    let mut tx = pair.bank.begin().await.unwrap();
    tx.append(&StreamName::from(format!("account-{id}")), version, id, events).await.unwrap();
    tx.commit().await.unwrap();
}

/// Stream, position and reason of everything in quarantine.
async fn parked(pair: &Pair) -> Vec<(String, i64, String)> {
    let all = query(&pair.audit, "SELECT stream, position, reason FROM parked ORDER BY position", []);
    let rows = pair.audit.reader().query_all_raw(all).await.unwrap();
    rows.iter()
        .map(|row| {
            (
                row.try_get("", "stream").unwrap(),
                row.try_get("", "position").unwrap(),
                row.try_get("", "reason").unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_body_that_cannot_be_read_parks_its_stream_and_no_other() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["poisoned", "sound"], 2).await;
        garble(&pair, "poisoned", 2).await;
        append(&pair, "poisoned", 3, 2).await;
        pair.deposit(&["sound"], 10).await;
        pair.noted(2 + 12).await;
        let expected = [(5, "EVENT_UNDECODABLE"), (6, "BEHIND_PARKED"), (7, "BEHIND_PARKED")];
        let expected = expected.map(|(position, reason)| ("account-poisoned".to_owned(), position, reason.to_owned()));
        assert_eq!(parked(&pair).await, expected);
        audit.stop().await;

        // A restarted reader still knows.
        let audit = pair.start_audit().await;
        append(&pair, "poisoned", 5, 1).await;
        pair.deposit(&["sound"], 1).await;
        pair.noted(2 + 13).await;
        assert_eq!(parked(&pair).await.len(), 4);
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn a_refused_event_parks_its_stream_until_it_is_released() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        deposit(&pair.bank, "a", 13).await;
        pair.deposit(&["b"], 5).await;
        pair.noted(5).await;
        assert_eq!(parked(&pair).await, [("account-a".to_owned(), 1, "UNLUCKY".to_owned())]);

        // Somebody else drains the quarantine, under the cursor's lock and in order.
        let tx = pair.audit.begin().await.unwrap();
        tx.conn().execute_unprepared("DELETE FROM parked").await.unwrap();
        tx.conn().execute_unprepared("INSERT INTO seen VALUES ('account-a', 1)").await.unwrap();
        tx.commit().await.unwrap();
        pair.deposit(&["a"], 3).await;
        pair.noted(5 + 1 + 3).await;
        assert_eq!(parked(&pair).await, []);
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn what_fails_for_the_moment_is_tried_again() {
    block_on(async {
        let pair = Pair::new().await;
        let bank = pair.start_bank().await;
        let reaction = NoteDeposit { unavailable: AtomicUsize::new(4), ..NoteDeposit::new(&pair.audit) };
        let audit = pair.start_audit_with(reaction).await;
        pair.deposit(&["a", "b"], 10).await;
        pair.noted(20).await;
        assert_eq!(parked(&pair).await, []);
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn what_nobody_knows_and_what_is_too_large_park_their_streams_and_no_other() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        deposit(&pair.bank, "unknown", 17).await;
        deposit(&pair.bank, "large", 19).await;
        pair.deposit(&["sound"], 5).await;
        // It is tried for as long as a database may need to come to itself.
        eventually(3 * PATIENCE, "the unknown is parked", async || !parked(&pair).await.is_empty()).await;
        pair.noted(5).await;
        let expected = [("account-unknown", 1, "DATABASE_ERROR_UNKNOWN"), ("account-large", 2, "INTENT_TOO_LARGE")];
        assert_eq!(
            parked(&pair).await,
            expected.map(|(stream, at, reason)| (stream.to_owned(), at, reason.to_owned()))
        );
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn what_nobody_knows_parks_nothing_when_it_passes_within_an_outage() {
    block_on(async {
        let pair = Pair::new().await;
        let reaction = NoteDeposit::new(&pair.audit);
        let odd = Arc::clone(&reaction.odd);
        odd.0.store(true, Ordering::SeqCst);
        let (bank, audit) = (pair.start_bank().await, pair.start_audit_with(reaction).await);
        pair.deposit(&["a", "b"], 3).await;
        eventually(PATIENCE, "it was tried often", async || odd.1.load(Ordering::SeqCst) > 11).await;
        odd.0.store(false, Ordering::SeqCst);
        pair.noted(6).await;
        assert_eq!(parked(&pair).await, []);
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn what_is_parked_is_counted_once_however_often_the_reader_restarts() {
    block_on(async {
        let pair = Pair::new().await;
        let bank = pair.start_bank().await;
        deposit(&pair.bank, "a", 13).await;
        for _ in 0..3 {
            let audit = pair.start_audit().await;
            eventually(PATIENCE, "it is parked", async || count(&pair.audit, "SELECT COUNT(*) FROM parked").await == 1)
                .await;
            audit.kill().await;
        }
        bank.stop().await;
    });
}
