//! Appending: the expected version decides who was first.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use sea_orm::{ConnectionTrait, Statement};
use tradewind_domain::{DecodeError, ErrorKind, EventSet, LARGEST_EVENT};
use tradewind_store::{Cursor, Store, StreamName, VERSION_CONFLICT};
use tradewind_testing::{
    Database,
    account::{Account, AccountEvent, Bank, Command, Deposited},
};

/// An event of so many bytes.
#[derive(Clone, Debug)]
pub(crate) struct Large(pub(crate) usize);

impl EventSet for Large {
    fn type_names() -> Vec<String> {
        vec!["tradewind.bank.v1.Large".to_owned()]
    }

    fn type_name(&self) -> String {
        "tradewind.bank.v1.Large".to_owned()
    }

    fn encode(&self) -> Vec<u8> {
        vec![0; self.0]
    }

    fn decode(type_name: &str, _: &[u8]) -> Result<Self, DecodeError> {
        Err(DecodeError::UnknownType(type_name.to_owned()))
    }
}

fn deposited(amount: u64) -> AccountEvent {
    Deposited { amount }.into()
}

/// How many events the accounts a and b have, in one snapshot.
async fn counts(store: &Store) -> (i64, i64) {
    let count = |stream| format!("(SELECT COUNT(*) FROM event WHERE stream = 'account-{stream}') AS {stream}");
    let query = format!("SELECT {}, {}", count("a"), count("b"));
    let row = store.reader().query_one_raw(Statement::from_string(store.backend(), query)).await.unwrap().unwrap();
    (row.try_get("", "a").unwrap(), row.try_get("", "b").unwrap())
}

tradewind_testing::both_stores! {
    async fn what_a_commit_may_lose_has_nothing_that_is_not_made_again(database: Database) {
        let bank = Bank::open(&database).await;
        let mut tx = bank.store.begin_derived().await.unwrap();
        tx.execute::<Account>("a", Command::Deposit(1)).await.unwrap();
        let refused = tx.commit().await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Internal, "{refused:?}");
        assert_eq!(counts(&bank.store).await, (0, 0));

        // A cursor may be lost: it is read from where it was.
        let mut tx = bank.store.begin_derived().await.unwrap();
        let to = Cursor { position: 1, ..Cursor::default() };
        assert!(tx.advance_cursor("reader", "bank", 0, Cursor::default(), to).await.unwrap());
        tx.commit().await.unwrap();
        let cursor = bank.store.cursor("reader", "bank", 0).await.unwrap().unwrap();
        assert_eq!(cursor.position, 1);
        // And what follows is as durable as ever.
        bank.execute("a", Command::Deposit(1)).await.unwrap();
        assert_eq!(counts(&bank.store).await, (1, 0));
    }

    async fn versions_count_from_one_without_gaps(database: Database) {
        let bank = Bank::open(&database).await;
        bank.execute("a", Command::Deposit(1)).await.unwrap();
        let committed = bank.execute("a", Command::DepositTwice(2)).await.unwrap();
        assert_eq!(committed.appended().iter().map(|one| one.version).collect::<Vec<_>>(), [2, 3]);
        let history = bank.store.history(&StreamName::of::<Account>("a")).await.unwrap();
        assert_eq!(history.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(history.iter().all(|event| event.type_name == "tradewind.bank.v1.Deposited"));
        assert!(history.iter().all(|event| event.metadata.correlation == "a"));
    }

    async fn an_event_that_could_not_pass_every_limit_on_its_way_is_refused_before_the_commit(database: Database) {
        let bank = Bank::open(&database).await;
        let stream = StreamName::from("account-a");
        let append = async |bytes| {
            let mut tx = bank.store.begin().await?;
            tx.append(&stream, 0, "a", vec![Large(bytes)]).await?;
            tx.commit().await
        };
        for bytes in [LARGEST_EVENT - 1_000, LARGEST_EVENT, 5_000_000] {
            let error = append(bytes).await.unwrap_err();
            assert_eq!((error.kind, error.reason), (ErrorKind::Invalid, "EVENT_TOO_LARGE"), "{error}");
        }
        assert_eq!(bank.store.history(&stream).await.unwrap(), []);
        append(1_000_000).await.unwrap();
        assert_eq!(bank.store.history(&stream).await.unwrap().len(), 1);
    }

    /// As after a failover to a copy that has not received the last commits.
    async fn a_version_whose_predecessor_the_database_has_lost_is_not_appended(database: Database) {
        let bank = Bank::open(&database).await;
        let stream = StreamName::of::<Account>("a");
        let cached = bank.execute("a", Command::DepositTwice(1)).await.unwrap();
        bank.store.token(&cached).await.unwrap();
        let mut tx = bank.store.begin().await.unwrap();
        tx.execute::<Account>("a", Command::DepositTwice(1)).await.unwrap();
        for table in ["log", "event"] {
            tx.conn().execute_unprepared(&format!("DELETE FROM {table} WHERE version = 2")).await.unwrap();
        }
        let error = tx.commit().await.unwrap_err();
        assert_eq!((error.kind, error.reason), (ErrorKind::Conflict, VERSION_CONFLICT), "{error}");
        let history = bank.store.history(&stream).await.unwrap();
        assert_eq!(history.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2]);
        bank.execute("a", Command::Deposit(5)).await.unwrap();
        assert_eq!(bank.balance("a").await, 7);
    }

    async fn a_stale_or_future_expectation_is_a_conflict(database: Database) {
        let bank = Bank::open(&database).await;
        let stream = StreamName::from("account-a");
        let append = async |expected| {
            let mut tx = bank.store.begin().await?;
            tx.append(&stream, expected, "a", vec![deposited(1)]).await?;
            tx.commit().await
        };
        append(0).await.unwrap();
        append(1).await.unwrap();
        for wrong in [0, 1, 3] {
            let error = append(wrong).await.unwrap_err();
            assert_eq!((error.kind, error.reason), (ErrorKind::Conflict, VERSION_CONFLICT), "expected {wrong}");
        }
        append(2).await.unwrap();
        assert_eq!(bank.balance("a").await, 3);
    }

    async fn what_another_process_appended_is_a_conflict_and_then_seen(database: Database) {
        let (one, other) = (Bank::open(&database).await, Bank::open(&database).await);
        one.execute("a", Command::Deposit(1)).await.unwrap();
        other.execute("a", Command::Deposit(10)).await.unwrap();
        one.execute("a", Command::Deposit(100)).await.unwrap();
        other.execute("a", Command::Withdraw(111)).await.unwrap();
        let history = one.store.history(&StreamName::from("account-a")).await.unwrap();
        assert_eq!(history.len(), 4);
    }

    async fn sixteen_writers_of_one_stream_all_get_through(database: Database) {
        let bank = Arc::new(Bank::open(&database).await);
        let writers = (0..16).map(|_| {
            let bank = Arc::clone(&bank);
            tokio::spawn(async move {
                for _ in 0..5 {
                    bank.execute("a", Command::Deposit(1)).await.unwrap();
                }
            })
        });
        for writer in join_all(writers).await {
            writer.unwrap();
        }
        let history = bank.store.history(&StreamName::from("account-a")).await.unwrap();
        assert_eq!(history.iter().map(|event| event.version).collect::<Vec<_>>(), (1..=80).collect::<Vec<_>>());
        assert_eq!(bank.balance("a").await, 80);
    }

    async fn a_rollback_leaves_nothing(database: Database) {
        let bank = Bank::open(&database).await;
        bank.execute("a", Command::Deposit(1)).await.unwrap();
        let mut tx = bank.store.begin().await.unwrap();
        tx.execute::<Account>("a", Command::Deposit(10)).await.unwrap();
        assert_eq!(tx.load::<Account>("a").await.unwrap().state.balance, 11);
        drop(tx);
        assert_eq!(bank.balance("a").await, 1);
        bank.execute("a", Command::Deposit(100)).await.unwrap();
        assert_eq!(bank.balance("a").await, 101);
        assert_eq!(bank.store.history(&StreamName::from("account-a")).await.unwrap().len(), 2);
    }

    async fn a_commit_that_nobody_waits_for_happens_whole_or_not_at_all(database: Database) {
        let bank = Bank::open(&database).await;
        for round in 0..50_u32 {
            let mut tx = bank.store.begin().await.unwrap();
            tx.execute::<Account>("a", Command::Deposit(1)).await.unwrap();
            tx.execute::<Account>("b", Command::Deposit(1)).await.unwrap();
            let patience = Duration::from_micros(u64::from(round) * 20);
            let _ = tokio::time::timeout(patience, tx.commit()).await;
            // Whatever became of it: both or neither, and the next transaction works.
            let (a, b) = counts(&bank.store).await;
            assert_eq!(a, b, "round {round}");
        }
        let before = bank.balance("a").await;
        bank.execute("a", Command::Deposit(1)).await.unwrap();
        assert!(bank.balance("a").await > before);
    }

    async fn many_events_in_one_transaction_keep_their_order(database: Database) {
        let bank = Bank::of_one_partition(&database).await;
        let mut tx = bank.store.begin().await.unwrap();
        for index in 0..100_u64 {
            tx.execute::<Account>(&format!("{}", index % 7), Command::Deposit(index)).await.unwrap();
        }
        let token = bank.store.token(&tx.commit().await.unwrap()).await.unwrap();
        assert!(token.ends_with(":100"), "{token}");
        let partition = token.split(':').nth(2).unwrap().parse().unwrap();
        let page = bank.store.read_log(partition, 0, 1000).await.unwrap();
        let amounts: Vec<u64> = page
            .events
            .iter()
            .map(|event| <Deposited as prost::Message>::decode(event.payload.as_slice()).unwrap().amount)
            .collect();
        assert_eq!(amounts, (0..100).collect::<Vec<_>>());
    }
}
