//! When a database loses commits under its service, or a service finds it so at its start.

use sea_orm::ConnectionTrait;
use tradewind_store::{LOG_WENT_BACK, Store};
use tradewind_testing::account::{Account, Bank, Command};
use tradewind_testing::{Database, Postgres, block_on, eventually};

use super::audit::{PATIENCE, Pair, count, deposit, open, query};
use super::forks::lost;

/// Tries a deposit until it is refused because the log went back.
async fn refuses(bank: &Store) {
    eventually(PATIENCE, "the owner refuses to go on", async || {
        let attempt = async {
            let mut tx = bank.begin().await?;
            tx.execute::<Account>("z", Command::Deposit(1)).await?;
            tx.commit().await
        };
        match attempt.await {
            Err(error) if error.reason == LOG_WENT_BACK => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// Waits until a process that starts now knows it from the start.
async fn is_kept(database: &Database) {
    eventually(PATIENCE, "the database knows that its log went back", async || {
        if open(database, "bank").await.intact().is_err() { Ok(()) } else { Err(()) }
    })
    .await;
}

fn set_back(server: &mut Postgres) {
    tokio::task::block_in_place(|| server.go_back());
}

#[test]
fn an_owner_whose_database_lost_commits_stops_until_that_is_accepted_and_nothing_is_skipped() {
    block_on(async {
        let mut server = Postgres::start();
        let pair = Pair::between(server.database(), Database::sqlite()).await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 10).await;
        pair.noted(10).await;
        tokio::task::block_in_place(|| server.keep_copy());
        eventually(PATIENCE, "deposits are taken again", async || {
            let mut tx = pair.bank.begin().await?;
            tx.execute::<Account>("a", Command::Deposit(1)).await?;
            tx.commit().await
        })
        .await;
        pair.deposit(&["a"], 4).await;
        pair.noted(15).await;
        set_back(&mut server);
        refuses(&pair.bank).await;
        is_kept(pair.bank_database()).await;
        bank.stop().await;
        audit.stop().await;
        assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM seen").await, 15);

        pair.bank.renew().await.unwrap();
        let bank = pair.start_bank().await;
        pair.deposit(&["b"], 3).await;
        let cursor = "UPDATE cursor SET position = 10 WHERE consumer = 'audit' AND position = 15";
        let tx = pair.audit.begin().await.unwrap();
        assert_eq!(tx.conn().execute_unprepared(cursor).await.unwrap().rows_affected(), 1);
        let known =
            query(&pair.audit, "UPDATE cursor SET incarnation = $1", [pair.bank.incarnation().to_string().into()]);
        tx.conn().execute_raw(known).await.unwrap();
        tx.commit().await.unwrap();
        let audit = pair.start_audit().await;
        pair.noted(18).await;
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn what_was_remembered_of_a_database_that_lost_commits_is_not_built_upon() {
    block_on(async {
        let mut server = Postgres::start();
        let database = server.database();
        let bank = Bank::open(&database).await;
        for _ in 0..3 {
            bank.execute("a", Command::Deposit(1)).await.unwrap();
        }
        tokio::task::block_in_place(|| server.keep_copy());
        eventually(PATIENCE, "deposits are taken again", async || bank.execute("a", Command::Deposit(1)).await).await;
        let last = bank.execute("a", Command::Deposit(1)).await.unwrap();
        bank.store.token(&last).await.unwrap();
        set_back(&mut server);
        refuses(&bank.store).await;
        bank.store.renew().await.unwrap();
        eventually(PATIENCE, "deposits are taken again", async || bank.execute("a", Command::Deposit(1)).await).await;
        assert_eq!(bank.balance("a").await, 4, "the stream goes on where the database has it");
        let again = open(&database, "bank").await;
        assert_eq!(again.load::<Account>("a").await.unwrap().version, 4, "and can be read by anybody");
    });
}

#[test]
fn a_reader_whose_own_database_lost_commits_reads_them_again() {
    block_on(async {
        let mut server = Postgres::start();
        let pair = Pair::between(Database::sqlite(), server.database()).await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 10).await;
        pair.noted(10).await;
        tokio::task::block_in_place(|| server.keep_copy());
        pair.deposit(&["a"], 5).await;
        let seen = async || {
            let seen = query(&pair.audit, "SELECT COUNT(*) AS seen FROM seen", []);
            let row = pair.audit.reader().query_one_raw(seen).await.map_err(|error| error.to_string())?;
            let seen: i64 = row.unwrap().try_get("", "seen").unwrap();
            if seen == 15 { Ok(()) } else { Err(seen.to_string()) }
        };
        eventually(PATIENCE, "15 deposits are noted", seen).await;
        set_back(&mut server);
        // No event comes that would make the reader look.
        eventually(PATIENCE, "15 deposits are noted again", seen).await;
        audit.stop().await;
        bank.stop().await;
    });
}

/// Ten deposits are noted and published; then the owner's database loses the last five.
async fn loses_the_last_five() -> Pair {
    let mut pair = Pair::new().await;
    let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
    pair.deposit(&["a"], 10).await;
    pair.noted(10).await;
    super::loss::stored(&pair, 10).await;
    bank.stop().await;
    audit.stop().await;
    pair.bank = lost(&pair, 5).await;
    pair.owner.replace(&pair.bank);
    pair
}

#[test]
fn an_owner_learns_at_its_start_from_the_broker_that_its_log_went_back() {
    block_on(async {
        let pair = loses_the_last_five().await;
        let bank = pair.start_bank().await;
        // What is appended before the broker has been asked takes the places of what it knows.
        let noticed = async || if pair.bank.intact().is_err() { Ok(()) } else { Err("not yet") };
        eventually(PATIENCE, "the broker has told", noticed).await;
        refuses(&pair.bank).await;
        bank.stop().await;
    });
}

#[test]
fn an_owner_learns_from_two_readers_that_its_log_went_back() {
    block_on(async {
        let mut pair = loses_the_last_five().await;
        pair.nats.stop();
        pair.nats.wipe();
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["b"], 10).await;
        let disputed = async || {
            let said = count(&pair.bank, "SELECT COUNT(*) FROM meta WHERE key = 'disputed by a reader'").await;
            if said == 1 { Ok(()) } else { Err(said) }
        };
        eventually(PATIENCE, "the reader has said what it read", disputed).await;
        pair.deposit(&["b"], 1).await;
        assert_eq!(pair.bank.intact(), Ok(()), "one may be wrong");
        // Of another replica, which the first reader did not tell.
        let replica = open(pair.bank_database(), "bank").await;
        let claim = (9, uuid::Uuid::new_v4());
        let refused = replica.hear(replica.incarnation(), 0, claim, "another").await.unwrap_err();
        assert_eq!(refused.reason, "LOG_FORKED");
        refuses(&pair.bank).await;
        audit.stop().await;
        bank.stop().await;
        assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM seen").await, 10);
    });
}

#[test]
fn a_reader_alone_or_of_another_incarnation_stops_nobody() {
    block_on(async {
        let database = Database::sqlite();
        let bank = Bank::open(&database).await;
        deposit(&bank.store, "a", 1).await;
        let strange = (9, uuid::Uuid::new_v4());
        bank.store.hear(uuid::Uuid::new_v4(), 0, strange, "a reader").await.unwrap();
        bank.store.hear(bank.store.incarnation(), 99, strange, "a reader").await.unwrap();
        deposit(&bank.store, "a", 1).await;
        for position in [1, 2, u64::MAX] {
            let claim = (position, uuid::Uuid::new_v4());
            let refused = bank.store.hear(bank.store.incarnation(), 0, claim, "a reader").await.unwrap_err();
            assert_eq!(refused.reason, "LOG_FORKED");
            deposit(&bank.store, "a", 1).await;
        }
        let page = bank.store.read_log(0, 1, 1).await.unwrap();
        bank.store.hear(bank.store.incarnation(), 0, (1, page.after.unwrap()), "another").await.unwrap();
        deposit(&bank.store, "a", 1).await;
        bank.store.hear(bank.store.incarnation(), 0, strange, "another").await.unwrap_err();
        assert_eq!(bank.store.intact().unwrap_err().reason, LOG_WENT_BACK);
        bank.store.renew().await.unwrap();
        deposit(&bank.store, "a", 1).await;
    });
}
