//! Snapshots: whether there is one or not, and whatever stands in it, a stream is loaded as its events say.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use time::{Duration, OffsetDateTime};
use tradewind_domain::{Aggregate, Snapshot};
use tradewind_store::{AsOf, Clock, Loaded, Store, StoreOptions, StreamName, Tx};
use tradewind_testing::{
    Database,
    account::{Account, AccountEvent, Bank, Command, Overdrawn, options, query},
};

/// An account that is kept after every so many events; with 0 never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Kept<const EVERY: u64, const FORM: u32 = 1>(Account);

impl<const EVERY: u64, const FORM: u32> Aggregate for Kept<EVERY, FORM> {
    const NAME: &'static str = Account::NAME;
    type Command = Command;
    type Event = AccountEvent;
    type Error = Overdrawn;
    const SNAPSHOT: Option<Snapshot<Self>> = Some(Snapshot {
        every: EVERY,
        form: FORM,
        encode: |Self(account)| account.balance.to_be_bytes().to_vec(),
        decode: |bytes| Some(Self(Account { balance: u64::from_be_bytes(bytes.try_into().ok()?) })),
    });

    fn decide(&self, command: Command) -> Result<Vec<AccountEvent>, Overdrawn> {
        self.0.decide(command)
    }

    fn evolve(&mut self, event: &AccountEvent) {
        self.0.evolve(event);
    }
}

/// By how many seconds the clock moves, and what is asked for then in one transaction.
type Turn = (i64, Vec<Command>);

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let command = prop_oneof![
        (1_u64..50).prop_map(Command::Deposit),
        (1_u64..50).prop_map(Command::Withdraw),
        (1_u64..50).prop_map(Command::DepositTwice),
        (1_u64..50).prop_map(Command::RaiseTo),
    ];
    prop::collection::vec((-5_i64..10, prop::collection::vec(command, 1..4)), 1..12)
}

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)
}

async fn told_the_time(database: &Database) -> (Store, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(1_000));
    let told = Arc::clone(&seconds);
    let clock = Clock::from_fn(move || at(told.load(Ordering::SeqCst)));
    (Store::open(StoreOptions { clock, ..options(database, "bank") }).await.unwrap(), seconds)
}

/// What is loaded as of each point, with snapshots and without, is the fold of that many events.
async fn holds<const EVERY: u64>(store: &Store, id: &str, appended: &[(AccountEvent, i64)]) {
    let fold = |version: usize| {
        let mut state = Account::default();
        appended[..version].iter().for_each(|(event, _)| state.evolve(event));
        let time = |event: Option<&(AccountEvent, i64)>| at(event.map_or(0, |(_, seconds)| *seconds));
        let (created, updated) = (time(appended.first().filter(|_| version > 0)), time(appended[..version].last()));
        Loaded { state, version: version as u64, created, updated }
    };
    let expect = async |point, version| {
        let with = store.load_as_of::<Kept<EVERY>>(id, point).await.unwrap();
        let Loaded { state: Kept(state), version: seen, created, updated } = with;
        let with = Loaded { state, version: seen, created, updated };
        let without = store.load_as_of::<Account>(id, point).await.unwrap();
        assert_eq!((&with, &without), (&fold(version), &fold(version)), "{EVERY} {point:?} of {appended:?}");
    };
    for version in 0..=appended.len() + 1 {
        expect(AsOf::Version(version as u64), version.min(appended.len())).await;
    }
    for (_, seconds) in appended {
        for seconds in [*seconds - 1, *seconds] {
            let version = appended.iter().rposition(|(_, time)| *time <= seconds).map_or(0, |last| last + 1);
            expect(AsOf::Time(at(seconds)), version).await;
        }
    }
}

async fn whatever_happens<const EVERY: u64>(database: &Database, runner: &mut TestRunner) {
    let (store, seconds) = told_the_time(database).await;
    for case in 0..3 {
        let (id, mut appended) = (format!("{EVERY}-{case}"), Vec::new());
        for (later, commands) in turns().new_tree(runner).unwrap().current() {
            let now = seconds.fetch_add(later, Ordering::SeqCst) + later;
            let mut tx = store.begin().await.unwrap();
            for command in commands {
                if let Ok(executed) = tx.execute::<Kept<EVERY>>(&id, command).await {
                    appended.extend(executed.events.into_iter().map(|event| (event, now)));
                }
            }
            tx.commit().await.unwrap();
            holds::<EVERY>(&store, &id, &appended).await;
        }
        // And with nothing in memory.
        let (fresh, _) = told_the_time(database).await;
        let (with, without) =
            (fresh.load::<Kept<EVERY>>(&id).await.unwrap(), store.load::<Account>(&id).await.unwrap());
        assert_eq!((with.state.0, with.version), (without.state, without.version));
    }
}

async fn deposit<const EVERY: u64>(bank: &Bank, times: u64) {
    for _ in 0..times {
        let deposit = async |tx: &mut Tx| tx.execute::<Kept<EVERY>>("a", Command::Deposit(1)).await;
        bank.store.transact(deposit).await.unwrap();
    }
}

/// The versions of the snapshots there are.
async fn kept(bank: &Bank) -> Vec<i64> {
    let rows = bank.store.read(query(&bank.store, "SELECT version FROM snapshot")).await.unwrap();
    rows.iter().map(|row| row.try_get("", "version").unwrap()).collect()
}

async fn change(bank: &Bank, what: &str) {
    bank.store.write(query(&bank.store, &format!("UPDATE snapshot SET {what}"))).await.unwrap();
}

/// What a process says that has nothing in memory.
async fn told<const EVERY: u64, const FORM: u32>(database: &Database) -> (u64, u64) {
    let store = Store::open(options(database, "bank")).await.unwrap();
    let Loaded { state, version, .. } = store.load::<Kept<EVERY, FORM>>("a").await.unwrap();
    (state.0.balance, version)
}

tradewind_testing::both_stores! {
    async fn as_of_any_point_a_stream_is_the_fold_of_that_many_events(database: Database) {
        let mut runner = TestRunner::deterministic();
        whatever_happens::<0>(&database, &mut runner).await;
        whatever_happens::<1>(&database, &mut runner).await;
        whatever_happens::<2>(&database, &mut runner).await;
        whatever_happens::<5>(&database, &mut runner).await;
    }

    async fn one_is_kept_when_it_is_due_and_replaces_the_one_before(database: Database) {
        let bank = Bank::open(&database).await;
        deposit::<5>(&bank, 4).await;
        assert_eq!(kept(&bank).await, [0_i64; 0]);
        deposit::<5>(&bank, 1).await;
        assert_eq!(kept(&bank).await, [5]);
        deposit::<5>(&bank, 9).await;
        assert_eq!(kept(&bank).await, [10]);
        // Two at once pass over the version at which it is due.
        let twice = async |tx: &mut Tx| tx.execute::<Kept<5>>("a", Command::DepositTwice(1)).await;
        bank.store.transact(twice).await.unwrap();
        assert_eq!(kept(&bank).await, [16]);
    }

    async fn what_is_kept_is_what_is_read(database: Database) {
        let bank = Bank::open(&database).await;
        deposit::<5>(&bank, 7).await;
        // The events do not say so: only whoever reads the snapshot can.
        change(&bank, if database.is_postgres() { "state = '\\x0000000000000100'" } else { "state = x'0000000000000100'" }).await;
        assert_eq!(told::<5, 1>(&database).await, (258, 7));
    }

    async fn one_that_is_of_no_use_is_passed_over(database: Database) {
        let bank = Bank::open(&database).await;
        let undecodable = if database.is_postgres() { "state = '\\x00'" } else { "state = x'00'" };
        for (what, kept_as) in [
            ("form = 2", "another form"),
            (undecodable, "no state"),
            ("version = version + 100", "of a later version than there is"),
            ("version = version - 1", "after an event of another time"),
            ("version = 0", "after none"),
            ("updated = updated - 1", "of another history"),
        ] {
            deposit::<5>(&bank, 7).await;
            let expected = bank.store.load::<Account>("a").await.unwrap();
            change(&bank, what).await;
            let expected = (expected.state.balance, expected.version);
            assert_eq!(told::<5, 1>(&database).await, expected, "{kept_as}");
            // By this process too, in whose memory it may be.
            let loaded = bank.store.load_as_of::<Kept<5>>("a", AsOf::Version(u64::MAX)).await.unwrap();
            assert_eq!((loaded.state.0.balance, loaded.version), expected, "{kept_as}");
        }
        deposit::<5>(&bank, 5).await;
        assert_eq!(told::<5, 2>(&database).await, told::<0, 1>(&database).await);
    }

    async fn one_is_forgotten_with_what_is_committed(database: Database) {
        let bank = Bank::open(&database).await;
        deposit::<5>(&bank, 7).await;
        let stream = StreamName::of::<Account>("a");
        let mut tx = bank.store.begin().await.unwrap();
        tx.execute::<Kept<5>>("a", Command::Deposit(1)).await.unwrap();
        tx.forget_snapshot(&stream).await.unwrap();
        drop(tx);
        assert_eq!(kept(&bank).await, [5]);
        let mut tx = bank.store.begin().await.unwrap();
        for _ in 0..3 {
            tx.execute::<Kept<5>>("a", Command::Deposit(1)).await.unwrap();
        }
        tx.forget_snapshot(&stream).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(kept(&bank).await, [0_i64; 0]);
        assert_eq!(told::<5, 1>(&database).await, (10, 10));
    }
}
