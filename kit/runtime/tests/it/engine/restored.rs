//! How a stopped reader goes on once an operator has decided, with the runbook's own SQL.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::ConnectionTrait;
use tradewind_operate::accept_loss;
use tradewind_runtime::Engine;
use tradewind_sql::sqlite_url;
use tradewind_store::Store;
use tradewind_testing::account::{Bank, Command};
use tradewind_testing::{Database, Nats, block_on, eventually, scratch};

use super::audit::{Direct, Pair, Running, connect, count, deposit, open, query};

/// The statement of the runbook that begins so, about the audit's reader of the bank.
fn sql(beginning: &str, head: i64, incarnation: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/runbook.md");
    let runbook = std::fs::read_to_string(path).unwrap();
    let blocks = runbook.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut statements = blocks.flat_map(|block| block.split(';')).map(str::trim);
    let statement = statements.find(|statement| statement.starts_with(beginning));
    let known = [
        ("<consumer>", "audit"),
        ("<owner>", "bank"),
        ("<partition>", "0"),
        ("<head>", &head.to_string()),
        ("<incarnation>", incarnation),
    ];
    let statement = statement.unwrap_or_else(|| panic!("the runbook has no {beginning}")).to_owned();
    known.iter().fold(statement, |statement, (name, value)| statement.replace(name, value))
}

/// Ten deposits are noted, everything is stopped, and the broker is empty.
async fn ten_noted() -> Pair {
    let mut pair = Pair::new().await;
    let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
    pair.deposit(&["a"], 10).await;
    pair.noted(10).await;
    bank.stop().await;
    audit.stop().await;
    pair.nats.stop();
    pair.nats.wipe();
    pair.nats.start_again();
    pair
}

/// The audit goes on after `decision`, made with what the runbook has read in the owner's database.
async fn decides(pair: &mut Pair, owner: Store, decision: &str) {
    pair.bank = owner;
    pair.owner.replace(&pair.bank);
    let row = |text| query(&pair.bank, &sql(text, 0, ""), []);
    let head = pair.bank.reader().query_one_raw(row("SELECT partition")).await.unwrap().unwrap();
    let incarnation = pair.bank.reader().query_one_raw(row("SELECT value")).await.unwrap().unwrap();
    let (head, incarnation): (i64, String) =
        (head.try_get("", "head").unwrap(), incarnation.try_get("", "incarnation").unwrap());
    let cursors =
        pair.audit.reader().query_all_raw(query(&pair.audit, &sql("SELECT consumer", 0, ""), [])).await.unwrap();
    assert_eq!(cursors.len(), 1, "the audit reads one partition");
    let position: i64 = cursors[0].try_get("", "position").unwrap();
    assert!(position > head, "{position} is not beyond {head}");

    let tx = pair.audit.begin().await.unwrap();
    let changed = tx.conn().execute_unprepared(&sql(decision, head, &incarnation)).await.unwrap();
    assert_eq!(changed.rows_affected(), 1);
    tx.commit().await.unwrap();
}

/// Notes `all` once three more were deposited, and no more than that.
async fn goes_on(pair: &Pair, all: i64) {
    let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
    pair.deposit(&["b"], 3).await;
    pair.noted(all).await;
    audit.stop().await;
    bank.stop().await;
    assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM seen").await, all);
}

/// The bank's database from a backup that holds its first five events.
async fn restored(pair: &Pair) -> Store {
    let tx = pair.bank.begin().await.unwrap();
    tx.conn().execute_unprepared("DELETE FROM log WHERE position > 5").await.unwrap();
    tx.conn().execute_unprepared("DELETE FROM event WHERE version > 5").await.unwrap();
    tx.conn().execute_unprepared("UPDATE cursor SET position = 5 WHERE position > 5").await.unwrap();
    tx.commit().await.unwrap();
    open(pair.bank_database(), "bank").await
}

/// A bank with another log, of two events.
async fn another_bank(database: &Database) -> Store {
    let other = open(database, "bank").await;
    deposit(&other, "x", 1).await;
    deposit(&other, "x", 1).await;
    other
}

#[test]
fn a_reader_goes_on_behind_the_head_of_a_restored_log() {
    block_on(async {
        let mut pair = ten_noted().await;
        let owner = restored(&pair).await;
        decides(&mut pair, owner, "UPDATE cursor").await;
        goes_on(&pair, 13).await;
    });
}

#[test]
fn a_reader_goes_on_behind_the_head_of_another_log() {
    block_on(async {
        let mut pair = ten_noted().await;
        let database = Database::sqlite();
        decides(&mut pair, another_bank(&database).await, "UPDATE cursor").await;
        goes_on(&pair, 13).await;
    });
}

#[test]
fn a_reader_reads_another_log_from_its_beginning() {
    block_on(async {
        let mut pair = ten_noted().await;
        let database = Database::sqlite();
        decides(&mut pair, another_bank(&database).await, "DELETE FROM cursor").await;
        goes_on(&pair, 15).await;
    });
}

#[test]
fn a_running_owner_hears_that_its_loss_was_accepted() {
    block_on(async {
        let database = Database::sqlite();
        let bank = Bank::open(&database).await;
        for _ in 0..3 {
            bank.execute("a", Command::Deposit(1)).await.unwrap();
        }
        for reader in ["a reader", "another"] {
            let claim = (9, uuid::Uuid::new_v4());
            bank.store.hear(bank.store.incarnation(), 0, claim, reader).await.unwrap_err();
        }
        assert!(bank.execute("a", Command::Deposit(1)).await.is_err());
        let renewed = accept_loss(&database.url(), "bank").await.unwrap();
        let nats = Nats::start();
        let broker = connect(&nats).await;
        let nobody = Arc::new(Direct::to(&bank.store));
        let running = Running::start(Engine::new(bank.store.clone(), broker, nobody));
        eventually(Duration::from_secs(20), "deposits are taken again", async || {
            bank.execute("a", Command::Deposit(1)).await
        })
        .await;
        assert_eq!(bank.store.incarnation(), renewed);
        running.stop().await;
        let empty = scratch();
        std::fs::write(empty.path().join("x"), []).unwrap();
        assert_eq!(accept_loss(&sqlite_url(&empty.path().join("x")), "bank").await.unwrap_err().reason, "NO_LOG");
    });
}
