//! What is seen at one moment, and what a consumer has still to handle then.

use sea_orm::{ConnectionTrait, DbBackend};
use tradewind_sql::{Moment, statement};
use tradewind_store::{Cursor, LogPage, Tx};
use tradewind_testing::account::{Account, Bank, Command};
use tradewind_testing::{Database, Stopped};
use uuid::Uuid;

/// How many events there are at a moment.
async fn events(moment: &Moment<'_>) -> i64 {
    let query = statement(moment.get_database_backend(), "SELECT COUNT(*) AS many FROM event", []);
    moment.query_one_raw(query).await.unwrap().unwrap().try_get("", "many").unwrap()
}

tradewind_testing::both_stores! {
    async fn what_is_committed_later_is_not_seen(database: Database) {
        let bank = Stopped::open(&database).await;
        let deposit = async || bank.store.transact(async |tx: &mut Tx| tx.execute::<Account>("a", Command::Deposit(1)).await).await.unwrap();
        deposit().await;
        let moment = bank.store.reader().moment().await.unwrap();
        assert_eq!(events(&moment).await, 1);
        deposit().await;
        assert_eq!(events(&moment).await, 1);
        let write = statement(bank.store.backend(), "DELETE FROM event", []);
        assert!(moment.execute_raw(write).await.is_err(), "it cannot write");
        drop(moment);
        assert_eq!(events(&bank.store.reader().moment().await.unwrap()).await, 2);
    }

    async fn what_has_no_place_in_the_log_yet_is_not_handled_either(database: Database) {
        // Nobody gives places here.
        let bank = Stopped::open(&database).await;
        for id in ["a", "b", "a"] {
            bank.store.transact(async |tx: &mut Tx| tx.execute::<Account>(id, Command::Deposit(1)).await).await.unwrap();
        }
        let moment = bank.store.reader().moment().await.unwrap();
        let unhandled = bank.store.unhandled(&moment, "reader", 3).await.unwrap().unwrap();
        let mut seen: Vec<_> = unhandled.iter().map(|event| (event.stream.id(), event.version)).collect();
        seen.sort_unstable();
        assert_eq!(seen, [("a", 1), ("a", 2), ("b", 1)]);
        let is_placed = bank.store.backend() == DbBackend::Sqlite;
        assert!(unhandled.iter().all(|event| (event.position > 0) == is_placed), "{unhandled:?}");
        assert_eq!(bank.store.unhandled(&moment, "reader", 2).await.unwrap(), None);
    }

    async fn what_is_behind_a_cursor_or_in_quarantine_is_not_handled(database: Database) {
        let bank = Bank::open(&database).await;
        for _ in 0..5 {
            bank.execute("a", Command::Deposit(1)).await.unwrap();
        }
        let nothing = bank.store.begin().await.unwrap().commit().await.unwrap();
        bank.store.token(&nothing).await.unwrap();
        let mut log = Vec::new();
        for partition in 0..bank.store.partitions() {
            let LogPage { events, .. } = bank.store.read_log(partition, 0, 10).await.unwrap();
            log.extend(events);
        }
        let third = log.iter().find(|event| event.version == 3).unwrap();
        let mut tx = bank.store.begin().await.unwrap();
        let to = Cursor { position: third.position, incarnation: bank.store.incarnation(), event: Some(third.id) };
        assert!(tx.advance_cursor("reader", "bank", third.partition, Cursor::default(), to).await.unwrap());
        let park = "INSERT INTO parked (consumer, source, stream, position, partition, version, event_id, type, payload, time, \
             partition_key, correlation, causation, traceparent, reason, error, attempts, parked_at) \
             VALUES ('reader', 'bank', 'account-b', 1, 0, 7, $1, '', $2, 0, '', '', '', '', '', '', 1, 0)";
        let payload: Vec<u8> = Vec::new();
        let park = statement(bank.store.backend(), park, [Uuid::new_v4().into(), payload.into()]);
        tx.conn().execute_raw(park).await.unwrap();
        tx.commit().await.unwrap();

        let moment = bank.store.reader().moment().await.unwrap();
        let unhandled = async |consumer| bank.store.unhandled(&moment, consumer, 100).await.unwrap().unwrap();
        let versions = |events: Vec<tradewind_store::Recorded>| {
            let mut versions: Vec<_> = events.iter().map(|event| event.version).collect();
            versions.sort_unstable();
            versions
        };
        assert_eq!(versions(unhandled("reader").await), [4, 5, 7]);
        assert_eq!(versions(unhandled("another").await), [1, 2, 3, 4, 5]);
    }
}
