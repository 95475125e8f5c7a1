//! Connections to PostgreSQL: how many, whose, how long, and what is said of one that cannot be made.

use std::time::Duration;

use futures::future::try_join_all;
use sea_orm::{ConnectionTrait, Statement};
use tokio::task::JoinHandle;
use tradewind_domain::ErrorKind;
use tradewind_sql::db;
use tradewind_store::{Store, StoreOptions};
use tradewind_testing::{
    Database,
    account::{Account, Bank, Command, options, query},
    block_on, eventually,
};

/// A process that vanishes in the middle of a transaction must not leave its locks behind for long.
#[test]
fn postgres_ends_a_session_that_keeps_a_transaction_waiting() {
    block_on(async {
        let database = Database::postgres();
        let store = Store::open(options(&database, "bank")).await.unwrap();
        let expected = [
            ("idle_in_transaction_session_timeout", "15s"),
            ("statement_timeout", "30s"),
            ("tcp_keepalives_idle", "10"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
        ];
        for (setting, expected) in expected {
            let shown = store.reader().query_one_raw(query(&store, &format!("SHOW {setting}"))).await.unwrap().unwrap();
            assert_eq!(shown.try_get_by_index::<String>(0).unwrap(), expected, "{setting}");
        }

        let tx = store.begin().await.unwrap();
        let session = tx.conn().query_one_raw(query(&store, "SELECT pg_backend_pid()")).await.unwrap().unwrap();
        let session: i32 = session.try_get_by_index(0).unwrap();
        tx.conn().execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = '20ms'").await.unwrap();
        eventually(Duration::from_secs(20), "the session is ended", async || {
            let look = query(&store, &format!("SELECT 1 FROM pg_stat_activity WHERE pid = {session}"));
            store.reader().query_one_raw(look).await.unwrap().is_none()
        })
        .await;
        let error = db(tx.conn().execute_unprepared("SELECT 1").await.unwrap_err());
        assert_eq!((error.kind, error.reason), (ErrorKind::Unavailable, "DATABASE_UNAVAILABLE"), "{error}");
        drop(tx);
        store.begin().await.unwrap().commit().await.unwrap();
    });
}

#[test]
fn a_server_that_cannot_be_reached_is_named_with_the_reason() {
    block_on(async {
        let nobody = tradewind_testing::free_port();
        // It takes connections and says nothing.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = listener.local_addr().unwrap().port();
        let there = Database::postgres();
        let port = |url: &str| url.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()?.parse::<u16>().ok());
        let unknown = (port(&there.url()).unwrap(), "database \"bank\" does not exist");
        for (port, why) in [(nobody, "refused"), (silent, "does not answer"), unknown] {
            let url = format!("postgres://tradewind:secret@127.0.0.1:{port}/bank");
            let opened = Store::open(StoreOptions { url, ..options(&Database::sqlite(), "bank") }).await;
            let error = opened.err().unwrap();
            assert_eq!((error.kind, error.reason), (ErrorKind::Unavailable, "DATABASE_UNAVAILABLE"), "{error}");
            let text = error.to_string();
            assert!(text.contains(&format!("127.0.0.1:{port}: ")) && text.contains(why), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    });
}

/// What each session of a store is doing, as another sees it.
async fn sessions(database: &Database, doing: &str) -> i64 {
    let observer = tradewind_sql::connect(&database.url()).await.unwrap();
    let text = format!(
        "SELECT COUNT(*) AS sessions FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND {doing}"
    );
    let counted = Statement::from_string(observer.get_database_backend(), text);
    observer.query_one_raw(counted).await.unwrap().unwrap().try_get("", "sessions").unwrap()
}

#[test]
fn a_flood_of_reads_stops_neither_transactions_nor_the_log_nor_signs_of_life() {
    block_on(async {
        let database = Database::postgres();
        let bank = Bank::open(&database).await;
        let flood: Vec<_> = (0..200)
            .map(|_| {
                let store = bank.store.clone();
                tokio::spawn(async move {
                    let slow = query(&store, "SELECT pg_sleep(25)");
                    store.reader().query_all_raw(slow).await.map_err(db).map(drop)
                })
            })
            .collect();
        let refused = eventually(Duration::from_secs(20), "some are refused", async || {
            let asleep = sessions(&database, "query LIKE '%pg_sleep%' AND state = 'active'").await;
            let refused = flood.iter().filter(|one| one.is_finished()).count();
            if asleep == 3 && refused > 0 { Ok(refused) } else { Err(format!("{asleep} asleep, {refused} refused")) }
        })
        .await;
        assert_eq!(refused, 200 - 3 - 128);

        bank.store.ping().await.unwrap();
        let committed = bank.execute("a", Command::Deposit(1)).await.unwrap();
        bank.store.token(&committed).await.unwrap();
        bank.store.command_reader().query_all_raw(query(&bank.store, "SELECT 1")).await.unwrap();
        let (done, waiting): (Vec<_>, Vec<_>) = flood.into_iter().partition(JoinHandle::is_finished);
        for one in done {
            let error = one.await.unwrap().unwrap_err();
            assert_eq!((error.kind, error.reason), (ErrorKind::Exhausted, "TOO_MANY_READS"), "{error}");
        }
        waiting.iter().for_each(JoinHandle::abort);
    });
}

#[test]
fn a_replica_has_few_connections_whatever_it_is_asked() {
    block_on(async {
        let database = Database::postgres();
        let bank = Bank::open(&database).await;
        let store = &bank.store;
        let everything = (0..64).map(async |number| {
            let looked = store.reader().query_all_raw(query(store, "SELECT 1")).await.map_err(db);
            bank.execute(&format!("account-{number}"), Command::Deposit(1)).await?;
            looked.map(drop)
        });
        try_join_all(everything).await.unwrap();
        assert!(sessions(&database, "backend_type = 'client backend'").await <= 16);
    });
}

#[test]
fn connections_that_the_server_has_ended_are_replaced() {
    block_on(async {
        let database = Database::postgres();
        let bank = Bank::without_sequencer(&database).await;
        let kept = 8;
        for tx in try_join_all((0..kept).map(|_| bank.store.begin())).await.unwrap() {
            tx.commit().await.unwrap();
        }
        let operator = tradewind_sql::connect(&database.url()).await.unwrap();
        let end = "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let ended = operator.query_all_raw(query(&bank.store, end)).await.unwrap();
        let ended: Vec<_> = ended.iter().map(|row| row.try_get::<i32>("", "pid").unwrap().to_string()).collect();
        let left = format!("SELECT 1 FROM pg_stat_activity WHERE pid IN ({})", ended.join(", "));
        eventually(Duration::from_secs(30), "the connections are ended", async || {
            operator.query_all_raw(query(&bank.store, &left)).await.unwrap().is_empty()
        })
        .await;
        let mut failed = 0;
        for _ in 0..2 * kept {
            failed += usize::from(bank.store.load::<Account>("a").await.is_err());
        }
        // One of those that are kept, and what the pool has at hand besides.
        assert!((1..kept).contains(&failed), "{failed} reads failed");
        bank.execute("a", Command::Deposit(1)).await.unwrap();
        assert_eq!(bank.balance("a").await, 1);
    });
}

/// A database in the shared cluster, made and set by these statements.
async fn set(statements: &[&str]) -> (Database, StoreOptions) {
    let database = Database::postgres();
    let (server, name) = database.url().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let connection = tradewind_sql::connect(&format!("{server}/postgres")).await.unwrap();
    for statement in statements {
        connection.execute_unprepared(&statement.replace("NAME", &name)).await.unwrap();
    }
    connection.close().await.unwrap();
    let options = options(&database, "bank");
    (database, options)
}

#[test]
fn a_database_that_cannot_hold_every_text_or_be_written_is_refused_by_name() {
    block_on(async {
        let anew = |encoding: &str| {
            let template = "TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
            ["DROP DATABASE NAME".to_owned(), format!("CREATE DATABASE NAME ENCODING '{encoding}' {template}")]
        };
        let read_only = ["ALTER DATABASE NAME SET default_transaction_read_only = on".to_owned()];
        let nowhere = ["ALTER DATABASE NAME SET search_path = nowhere".to_owned()];
        for (statements, reason) in [
            (&anew("LATIN1")[..], "DATABASE_ENCODING"),
            (&anew("SQL_ASCII"), "DATABASE_ENCODING"),
            (&read_only, "DATABASE_READ_ONLY"),
            (&nowhere, "DATABASE_SCHEMA"),
        ] {
            let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
            let (_database, options) = set(&statements).await;
            let refused = Store::open(options).await.err().unwrap();
            assert_eq!(refused.reason, reason, "{statements:?}: {refused}");
        }
    });
}

#[test]
fn sessions_state_what_they_rely_on_whatever_the_database_is_set_to() {
    block_on(async {
        let (_database, options) = set(&[
            "ALTER DATABASE NAME SET default_transaction_isolation = 'serializable'",
            "ALTER DATABASE NAME SET synchronous_commit = off",
            "ALTER DATABASE NAME SET client_encoding = 'LATIN1'",
        ])
        .await;
        let explicit = format!("{}?options=-c%20synchronous_commit%3Doff", options.url);
        let setting = async |store: &Store, name: &str| -> String {
            let query = format!("SELECT current_setting('{name}') AS value");
            let query = sea_orm::Statement::from_string(store.backend(), query);
            store.reader().query_one_raw(query).await.unwrap().unwrap().try_get("", "value").unwrap()
        };
        let store = Store::open(options).await.unwrap();
        for (name, value) in [
            ("transaction_isolation", "read committed"),
            ("synchronous_commit", "on"),
            ("client_encoding", "UTF8"),
            ("search_path", "public"),
        ] {
            assert_eq!(setting(&store, name).await, value, "{name}");
        }
        let options = StoreOptions { url: explicit, ..tradewind_testing::account::options(&_database, "bank") };
        let store = Store::open(options).await.unwrap();
        assert_eq!(setting(&store, "synchronous_commit").await, "off", "as the URL says");
    });
}
