//! Several replicas of a service on PostgreSQL: they share the partitions, and one that dies is replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use sea_orm::ConnectionTrait;
use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_runtime::Engine;
use tradewind_store::{Store, StoreOptions, Tx};
use tradewind_testing::account::{Deposited, options};
use tradewind_testing::{Database, block_on, eventually};

use super::audit::{NoteDeposit, PATIENCE, Pair, Running, connect, count, note, notes, open, query};

/// Notes which replica handled a deposit of which partition, besides what [`NoteDeposit`] does.
struct Signed {
    replica: String,
    inner: NoteDeposit,
}

impl Reaction<Deposited> for Signed {
    async fn react(&self, tx: &mut Tx, event: &Received<Deposited>) -> Result<(), Error> {
        note(tx, &self.inner.store, &event.partition.to_string(), &self.replica).await?;
        self.inner.react(tx, event).await
    }
}

/// A bank whose log has 16 partitions, and an audit of which several replicas run.
async fn pair() -> Pair {
    let bank = Database::sqlite();
    let migrations = Vec::new();
    Store::open(StoreOptions { migrations, partitions: Some(16), ..options(&bank, "bank") }).await.unwrap();
    Pair::between(bank, Database::postgres()).await
}

/// Each replica has its own connections, as processes do.
async fn start(pair: &Pair, replica: &str) -> Running {
    let store = open(pair.audit_database(), "audit").await;
    let reaction = Signed { replica: replica.to_owned(), inner: NoteDeposit::new(&store) };
    let engine = Engine::new(store, connect(&pair.nats).await, Arc::new(pair.owner.clone()));
    Running::start(engine.holder(replica).reactions(Reactions::new("audit").on("note_on_deposited", reaction)))
}

/// Deposits into accounts of all partitions, waits until each is noted, and tells how many partitions each replica has.
async fn shares(pair: &Pair, noted: &mut i64) -> BTreeMap<String, usize> {
    let tx = pair.audit.begin().await.unwrap();
    tx.conn().execute_unprepared("DELETE FROM note").await.unwrap();
    tx.commit().await.unwrap();
    let accounts: Vec<String> = (0..64).map(|number| format!("account {number}")).collect();
    let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
    pair.deposit(&accounts, 1).await;
    *noted += 64;
    pair.noted(*noted).await;
    let by_partition: BTreeMap<String, String> = notes(&pair.audit).await.into_iter().collect();
    let mut shares = BTreeMap::new();
    for replica in by_partition.into_values() {
        *shares.entry(replica).or_default() += 1;
    }
    shares
}

/// Deposits until the partitions are shared among exactly these, in alphabetical order, each with at least `least`.
async fn shared_among(pair: &Pair, noted: &mut i64, replicas: &[&str], least: usize) {
    eventually(PATIENCE, &format!("{replicas:?} share the partitions"), async || {
        let shares = shares(pair, noted).await;
        let complete = shares.keys().eq(replicas) && shares.values().all(|share| *share >= least);
        if complete { Ok(()) } else { Err(shares) }
    })
    .await;
}

#[test]
fn replicas_share_partitions_and_take_over_from_one_that_dies() {
    block_on(async {
        let pair = pair().await;
        let bank = pair.start_bank().await;
        let mut noted = 0;
        let one = start(&pair, "one").await;
        shared_among(&pair, &mut noted, &["one"], 1).await;
        let two = start(&pair, "two").await;
        shared_among(&pair, &mut noted, &["one", "two"], 4).await;
        one.kill().await;
        shared_among(&pair, &mut noted, &["two"], 1).await;
        let three = start(&pair, "three").await;
        shared_among(&pair, &mut noted, &["three", "two"], 4).await;
        two.stop().await;
        shared_among(&pair, &mut noted, &["three"], 1).await;
        three.stop().await;
        bank.stop().await;
        // A deposit noted twice or out of order would have been refused, and parked.
        assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM parked").await, 0);
    });
}

#[test]
fn whoever_stops_gives_its_seat_up() {
    block_on(async {
        let pair = pair().await;
        let seats = "SELECT COUNT(*) FROM lease WHERE name LIKE 'member/%'";
        let (one, two) = (start(&pair, "one").await, start(&pair, "two").await);
        eventually(PATIENCE, "both have joined", async || count(&pair.audit, seats).await == 2).await;
        one.stop().await;
        assert_eq!(count(&pair.audit, seats).await, 1);
        two.kill().await;
        assert_eq!(count(&pair.audit, seats).await, 1, "a killed one's lapses");
    });
}

#[test]
fn a_process_that_takes_a_name_takes_its_seat() {
    block_on(async {
        let pair = pair().await;
        let epoch = "SELECT COALESCE(MAX(epoch), 0)::BIGINT FROM lease WHERE name = 'member/one'";
        for life in 1..=3 {
            let one = start(&pair, "one").await;
            eventually(PATIENCE, "it has joined", async || count(&pair.audit, epoch).await == life).await;
            one.kill().await;
        }
    });
}

#[test]
fn a_flood_of_reads_takes_no_replicas_seat() {
    block_on(async {
        let pair = pair().await;
        let store = open(pair.audit_database(), "audit").await;
        let engine = Engine::new(store.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
        let reactions = Reactions::new("audit").on("note_on_deposited", NoteDeposit::new(&store));
        let replica = Running::start(engine.holder("flooded").reactions(reactions));
        let lasts = "SELECT COALESCE(MAX(expires), 0) FROM lease WHERE name = 'member/flooded'";
        eventually(PATIENCE, "it has a seat", async || count(&pair.audit, lasts).await > 0).await;

        let flood = (0..100).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.reader().query_all_raw(query(&store, "SELECT pg_sleep(25)", [])).await })
        });
        let flood: Vec<_> = flood.collect();
        let asleep = "SELECT COUNT(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(25)' AND state = 'active'";
        eventually(PATIENCE, "the flood is there", async || count(&pair.audit, asleep).await >= 3).await;
        // Longer than a seat lasts that is not renewed.
        let later = count(&pair.audit, lasts).await + 3_500_000;
        eventually(PATIENCE, "the seat is renewed", async || count(&pair.audit, lasts).await > later).await;
        flood.iter().for_each(tokio::task::JoinHandle::abort);
        replica.stop().await;
    });
}
