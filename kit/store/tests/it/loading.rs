//! Loading: by way of the cache or not, now or in the past, it is the fold of the same events.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use time::{Duration, OffsetDateTime};
use tradewind_domain::{Error, ErrorKind};
use tradewind_store::{AsOf, Clock, Loaded, Store, StreamName, Tx};
use tradewind_testing::{
    Database,
    account::{Account, AccountEvent, Bank, Command, Deposited, options},
};

#[derive(Clone, PartialEq, prost::Message)]
struct Noted {
    #[prost(string, tag = "1")]
    note: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Frozen {}

impl prost::Name for Noted {
    const NAME: &'static str = "Noted";
    const PACKAGE: &'static str = "tradewind.bank.v1";
}

impl prost::Name for Frozen {
    const NAME: &'static str = "Frozen";
    const PACKAGE: &'static str = "tradewind.bank.v1";
}

tradewind_domain::events! {
    /// What a later build appends to an account.
    enum LaterEvent { Noted(Noted): informative, Frozen(Frozen) }
}

/// Appends to the account `a` as a later build does.
async fn append(bank: &Bank, expected: u64, event: impl Into<LaterEvent>) {
    let mut tx = bank.store.begin().await.unwrap();
    tx.append(&StreamName::of::<Account>("a"), expected, "a", vec![event.into()]).await.unwrap();
    tx.commit().await.unwrap();
}

fn commands() -> impl Strategy<Value = Vec<(bool, Command)>> {
    let command = prop_oneof![
        (1_u64..50).prop_map(Command::Deposit),
        (1_u64..50).prop_map(Command::Withdraw),
        (1_u64..50).prop_map(Command::DepositTwice),
        (1_u64..50).prop_map(Command::RaiseTo),
    ];
    prop::collection::vec((any::<bool>(), command), 1..20)
}

fn seen(loaded: Loaded<Account>) -> (Account, u64) {
    (loaded.state, loaded.version)
}

tradewind_testing::both_stores! {
    async fn of_streams_that_are_watched_those_are_named_that_have_grown(database: Database) {
        let bank = Bank::open(&database).await;
        for id in ["a", "b", "a", "c"] {
            bank.execute(id, Command::Deposit(1)).await.unwrap();
        }
        let known = [("a", 1), ("b", 1), ("c", 0), ("none", 0)];
        let known = known.map(|(id, version)| (StreamName::of::<Account>(id), version));
        let mut grown = bank.store.grown(&known).await.unwrap();
        grown.sort();
        assert_eq!(grown, ["a", "c"].map(StreamName::of::<Account>));
        assert_eq!(bank.store.grown(&[]).await.unwrap(), []);
        // More than one statement takes.
        let many: Vec<_> = (0..4_000).map(|id| (StreamName::of::<Account>(&id.to_string()), 0)).collect();
        let grown = bank.store.grown(&[many.as_slice(), known.as_slice()].concat()).await.unwrap();
        assert_eq!(grown.len(), 2, "{grown:?}");
    }

    async fn what_is_cached_equals_what_is_stored(database: Database) {
        // Two processes take turns, so that each one's cache is stale now and then. On SQLite only one process writes.
        let one = Bank::open(&database).await;
        let other = Bank::open(&database).await;
        let cases = {
            let mut runner = TestRunner::deterministic();
            (0..10).map(|_| commands().new_tree(&mut runner).unwrap().current()).collect::<Vec<_>>()
        };
        for (case, commands) in cases.into_iter().enumerate() {
            let id = format!("{case}");
            let (mut expected, mut version) = (Account::default(), 0);
            for (by_one, command) in commands {
                use tradewind_domain::Aggregate;
                let bank = if by_one || !database.is_postgres() { &one } else { &other };
                let outcome = bank.execute(&id, command).await;
                match expected.decide(command) {
                    Ok(events) => {
                        assert_eq!(outcome.unwrap().appended().len(), events.len(), "{command:?}");
                        events.iter().for_each(|event| expected.evolve(event));
                        version += events.len() as u64;
                    }
                    Err(_) => assert_eq!(outcome.unwrap_err().reason, "OVERDRAWN", "{command:?}"),
                }
                assert_eq!(seen(bank.store.load(&id).await.unwrap()), (expected.clone(), version));
            }
            let fresh = Store::open(options(&database, "bank")).await.unwrap();
            assert_eq!(fresh.load::<Account>(&id).await.unwrap(), one.store.load(&id).await.unwrap());
            assert_eq!(seen(fresh.load(&id).await.unwrap()), (expected, version));
        }
    }

    async fn a_transaction_sees_what_it_appends(database: Database) {
        let bank = Bank::open(&database).await;
        bank.execute("a", Command::Deposit(1)).await.unwrap();
        let mut tx = bank.store.begin().await.unwrap();
        let stream = StreamName::of::<Account>("a");
        tx.append(&stream, 1, "a", vec![AccountEvent::from(Deposited { amount: 10 })]).await.unwrap();
        assert_eq!(seen(tx.load("a").await.unwrap()), (Account { balance: 11 }, 2));
        let executed = tx.execute::<Account>("a", Command::Withdraw(11)).await.unwrap();
        assert_eq!((executed.state.balance, executed.version, executed.events.len()), (0, 3, 1));
        let refused = tx.execute::<Account>("a", Command::Withdraw(1)).await.unwrap_err();
        assert_eq!((refused.kind, refused.reason), (ErrorKind::Rejected, "OVERDRAWN"));
        tx.commit().await.unwrap();
        assert_eq!(bank.store.load::<Account>("a").await.unwrap().version, 3);
    }

    async fn what_a_later_build_adds_for_information_is_passed_over(database: Database) {
        let bank = Bank::open(&database).await;
        bank.execute("a", Command::Deposit(1)).await.unwrap();
        append(&bank, 1, Noted { note: "a birthday".to_owned() }).await;
        assert_eq!(seen(bank.store.load("a").await.unwrap()), (Account { balance: 1 }, 2));
        bank.execute("a", Command::Deposit(10)).await.unwrap();
        assert_eq!(seen(bank.store.load("a").await.unwrap()), (Account { balance: 11 }, 3));
        assert_eq!(seen(bank.store.load_as_of("a", AsOf::Version(2)).await.unwrap()), (Account { balance: 1 }, 2));
        let history = bank.store.history_of::<Account>("a").await.unwrap();
        let steps: Vec<_> = history.iter().map(|(event, after)| (event.version, after.balance)).collect();
        assert_eq!(steps, [(1, 1), (2, 1), (3, 11)]);
        let mut tx = bank.store.begin().await.unwrap();
        let noted = LaterEvent::from(Noted::default());
        tx.append(&StreamName::of::<Account>("a"), 3, "a", vec![noted]).await.unwrap();
        assert_eq!(seen(tx.load("a").await.unwrap()), (Account { balance: 11 }, 4));
    }

    async fn what_a_later_build_decides_by_is_not_passed_over(database: Database) {
        let bank = Bank::open(&database).await;
        bank.execute("a", Command::Deposit(1)).await.unwrap();
        append(&bank, 1, Frozen {}).await;
        let error = bank.store.load::<Account>("a").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(error.message.contains("tradewind.bank.v1.Frozen is not an event of this aggregate"), "{error}");
        let error = bank.execute("a", Command::Withdraw(1)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert_eq!(bank.store.history(&StreamName::of::<Account>("a")).await.unwrap().len(), 2);
    }

    async fn the_past_can_be_loaded(database: Database) {
        use std::sync::atomic::{AtomicI64, Ordering};
        use std::sync::Arc;
        let seconds = Arc::new(AtomicI64::new(0));
        let told = Arc::clone(&seconds);
        let at = |seconds| OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds);
        let clock = Clock::from_fn(move || at(told.load(Ordering::SeqCst)));
        let store = Store::open(tradewind_store::StoreOptions { clock, ..options(&database, "bank") }).await.unwrap();
        for second in [10, 20, 30] {
            seconds.store(second, Ordering::SeqCst);
            let mut tx = store.begin().await.unwrap();
            assert_eq!(tx.now(), at(second));
            tx.execute::<Account>("a", Command::Deposit(second.unsigned_abs())).await.unwrap();
            tx.commit().await.unwrap();
        }
        for (point, balance, version) in [
            (AsOf::Version(0), 0, 0),
            (AsOf::Version(2), 30, 2),
            (AsOf::Version(9), 60, 3),
            (AsOf::Time(at(9)), 0, 0),
            (AsOf::Time(at(10)), 10, 1),
            (AsOf::Time(at(29)), 30, 2),
            (AsOf::Time(at(30)), 60, 3),
        ] {
            let loaded = store.load_as_of::<Account>("a", point).await.unwrap();
            let updated = at(if version == 0 { 0 } else { 10 * i64::try_from(version).unwrap() });
            assert_eq!((loaded.created, loaded.updated), (at(updated.unix_timestamp().min(10)), updated), "{point:?}");
            assert_eq!(seen(loaded), (Account { balance }, version), "{point:?}");
        }
    }

    async fn changes_are_told_after_the_commit(database: Database) {
        let bank = Bank::open(&database).await;
        let mut changes = bank.store.changes();
        bank.execute("a", Command::DepositTwice(1)).await.unwrap();
        assert_eq!(changes.recv().await.unwrap(), StreamName::from("account-a"));
        assert!(changes.try_recv().is_err(), "told once");
    }
}

/// Handlers run on any thread: what they wait for must be `Send`.
#[test]
fn a_handler_can_be_sent_between_threads() {
    fn sendable<F: Future + Send>(future: F) -> F {
        future
    }
    async fn handle(store: &Store, id: &str) -> Result<u64, Error> {
        let work = async |tx: &mut Tx| {
            let executed = tx.execute::<Account>(id, Command::Deposit(1)).await?;
            tx.claim_reference("account", id, id).await?;
            Ok::<_, Error>(executed.version)
        };
        let (version, token) = store.once(None, work).await?;
        assert!(token.starts_with("bank:"));
        Ok(version)
    }
    tradewind_testing::block_on(async {
        let database = Database::sqlite();
        let bank = Bank::open(&database).await;
        let store = bank.store.clone();
        let handled = tokio::spawn(sendable(async move { handle(&store, "a").await }));
        assert_eq!(handled.await.unwrap().unwrap(), 1);
    });
}
