#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
use std::time::Duration;

use futures::FutureExt;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, TransactionTrait, Value};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::statement::statement;
use crate::transaction::{Durability, Transaction, Writer};
use crate::{Id, Script, db};

fn session() -> Pool {
    Pool::open(Options { file: None, creates: true, settings: String::new(), connections: 1 }).unwrap()
}

async fn rows(pool: &Pool, text: &str, values: impl IntoIterator<Item = Value>) -> Vec<QueryResult> {
    pool.query_all_raw(statement(DbBackend::Sqlite, text, values)).await.unwrap()
}

async fn count(pool: &Pool) -> i64 {
    rows(pool, "SELECT COUNT(*) AS count FROM t", []).await[0].try_get("", "count").unwrap()
}

#[tokio::test]
async fn parameters_are_taken_by_their_number_or_in_their_turn() {
    let pool = session();
    for (text, expected) in [("SELECT $2 || $1 || $2 AS x", "bab"), ("SELECT ? || ? AS x", "ab")] {
        let found = rows(&pool, text, ["a".into(), "b".into()]).await;
        assert_eq!(found[0].try_get::<String>("", "x").unwrap(), expected, "{text}");
    }
    for text in ["SELECT $1, $3", "SELECT ?, ?, ?", "SELECT :a"] {
        let asked = statement(DbBackend::Sqlite, text, ["a".into(), "b".into()]);
        assert_eq!(db(pool.query_all_raw(asked).await.unwrap_err()).reason, "INTERNAL", "{text}");
    }
}

#[tokio::test]
async fn values_come_back_as_the_types_that_tables_declare() {
    let pool = session();
    pool.execute_unprepared("CREATE TABLE t (a BOOLEAN, b BIGINT, c TEXT, d BLOB, e BLOB, f REAL)").await.unwrap();
    let id = Uuid::max();
    let some: [Value; 6] = [true.into(), i64::MIN.into(), "ä".into(), vec![0_u8].into(), id.into(), 1.5_f64.into()];
    let none = [Value::Bool(None), Value::BigInt(None), Value::String(None), Value::Bytes(None), Value::Uuid(None)];
    let insert = "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?) RETURNING *";
    let all =
        [rows(&pool, insert, some).await, rows(&pool, insert, [&none[..], &[Value::Double(None)]].concat()).await];
    let all = all.into_iter().flatten().chain(rows(&pool, "SELECT * FROM t", []).await).map(|row| {
        (
            row.try_get::<Option<bool>>("", "a").unwrap(),
            row.try_get::<Option<i64>>("", "b").unwrap(),
            row.try_get::<Option<String>>("", "c").unwrap(),
            row.try_get::<Option<Vec<u8>>>("", "d").unwrap(),
            row.try_get::<Option<Id>>("", "e").unwrap(),
            row.try_get::<Option<f64>>("", "f").unwrap(),
        )
    });
    let some = (Some(true), Some(i64::MIN), Some("ä".to_owned()), Some(vec![0]), Some(Id(id)), Some(1.5));
    let none = (None, None, None, None, None, None);
    assert_eq!(all.collect::<Vec<_>>(), [some.clone(), none.clone(), some, none]);
}

#[tokio::test]
async fn an_error_that_ends_a_transaction_ends_it_for_all_that_follows() {
    let pool = session();
    pool.execute_unprepared("CREATE TABLE t (a BIGINT UNIQUE)").await.unwrap();
    let writer = Writer::new(pool.clone(), None);
    let tx = Transaction::sqlite(writer.begin(Durability::OnDisk).await.unwrap());
    for text in ["INSERT INTO t VALUES (1)", "INSERT OR ROLLBACK INTO t VALUES (1)", "INSERT INTO t VALUES (2)"] {
        let done = tx.execute_unprepared(text).await;
        assert_eq!(done.is_ok(), text == "INSERT INTO t VALUES (1)", "{text}: {done:?}");
    }
    tx.commit(Script::new(DbBackend::Sqlite), || {}).await.unwrap_err();
    assert_eq!(count(&pool).await, 0);
}

#[tokio::test]
async fn a_commit_is_answered_as_its_transaction_was_begun() {
    let pool = session();
    let writer = Writer::new(pool.clone(), None);
    let synchronous = async || {
        let query = statement(DbBackend::Sqlite, "PRAGMA synchronous", []);
        pool.query_one_raw(query).await.unwrap().unwrap().try_get::<i64>("", "synchronous").unwrap()
    };
    let (normal, full) = (1, 2);
    for (durability, expected) in [
        (Durability::OnDisk, full),
        (Durability::Later, normal),
        (Durability::Later, normal),
        (Durability::OnDisk, full),
    ] {
        let tx = Transaction::sqlite(writer.begin(durability).await.unwrap());
        assert_eq!(synchronous().await, expected, "{durability:?}");
        tx.commit(Script::new(DbBackend::Sqlite), || {}).await.unwrap();
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_is_rolled_back_at_once() {
    let pool = session();
    pool.execute_unprepared("CREATE TABLE t (a BIGINT)").await.unwrap();
    let writer = Writer::new(pool.clone(), None);
    let tx = Transaction::sqlite(writer.begin(Durability::OnDisk).await.unwrap());
    tx.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
    assert!(writer.begin(Durability::OnDisk).now_or_never().is_none(), "it is the only one");
    drop(tx);
    assert_eq!((pool.is_open(), count(&pool).await), (false, 0));
    drop(writer.begin(Durability::OnDisk).await.unwrap());
}

#[tokio::test]
async fn a_commit_of_sea_orms_that_fails_is_told() {
    let pool = session();
    let deferred = "CREATE TABLE u (a BIGINT PRIMARY KEY); \
         CREATE TABLE t (a BIGINT REFERENCES u (a) DEFERRABLE INITIALLY DEFERRED); PRAGMA foreign_keys = ON";
    pool.execute_unprepared(deferred).await.unwrap();
    let connection = pool.connection().await.unwrap();
    let transaction = connection.begin().await.unwrap();
    transaction.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
    let committed = crate::commit(&connection, transaction).await;
    assert!(committed.unwrap_err().to_string().contains("FOREIGN KEY"));
    assert_eq!(count(&pool).await, 0);
    let nested = connection.begin().await.unwrap();
    let within = connection.begin().await.unwrap();
    within.execute_unprepared("INSERT INTO u VALUES (1)").await.unwrap_err();
    drop((within, nested));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_processs_lock_is_waited_for() {
    let folder = TempDir::new().unwrap();
    let options = Options { creates: true, ..Options::of(&folder.path().join("a.db")) };
    let (one, other) = (Pool::open(options.clone()).unwrap(), Pool::open(options).unwrap());
    one.execute_unprepared("PRAGMA journal_mode = WAL; CREATE TABLE t (a BIGINT)").await.unwrap();
    let begin = || statement(DbBackend::Sqlite, "BEGIN IMMEDIATE", []);
    // It is known to be quick then.
    for _ in 0..2 {
        other.execute_raw(begin()).await.unwrap();
        other.roll_back();
    }
    one.execute_raw(begin()).await.unwrap();
    let waiting = tokio::spawn(async move { other.execute_raw(begin()).await.map(|_| other) });
    one.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
    assert!(!waiting.is_finished());
    one.execute_unprepared("COMMIT").await.unwrap();
    assert_eq!(count(&waiting.await.unwrap().unwrap()).await, 1);
}

#[test]
fn what_was_slow_is_not_run_in_place() {
    let places = place::Places::default();
    let run = |long: Duration| {
        let began = std::time::Instant::now();
        places.run("SELECT 1", || {
            while began.elapsed() < long {}
            Ok(place::is_patient())
        })
    };
    let (quick, slow) = (Duration::ZERO, Duration::from_millis(2));
    // A machine that is busy may take long for anything.
    let quickly = || (0..1_000).map(|_| run(quick).unwrap()).find(|patient| !patient);
    assert_eq!((run(quick).unwrap(), quickly()), (true, Some(false)), "what nobody knows may be slow");
    run(slow).unwrap();
    assert!(run(slow).unwrap());
    assert_eq!(quickly(), Some(false));
}
