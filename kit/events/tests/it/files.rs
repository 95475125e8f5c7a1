//! SQLite files: what is left by a crash, damaged, replaced, backed up and restored.

use std::path::{Path, PathBuf};

use sea_orm::ConnectionTrait;
use tradewind_events::{
    DATABASE_CORRUPT, DATABASE_REPLACED, Store, StoreOptions, accept_loss, back_up, restore, sqlite_file, sqlite_url,
};
use tradewind_testing::{Database, block_on, scratch};

use crate::account::{Account, Bank, Command, options};

fn file(database: &Database) -> PathBuf {
    sqlite_file(&database.url()).unwrap()
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

async fn open_at(database: &Database, file: &Path) -> Result<Store, tradewind_domain::Error> {
    Store::open(StoreOptions { url: sqlite_url(file), ..options(database, "bank") }).await
}

async fn balance(store: &Store) -> u64 {
    store.load::<Account>("a").await.unwrap().state.balance
}

async fn deposit(bank: &Bank, times: usize) {
    for _ in 0..times {
        bank.execute("a", Command::Deposit(1)).await.unwrap();
    }
}

/// What a kill would leave of a database that is in use, with `main` for the database file.
fn left_behind(database: &Database, main: &Path, folder: &Path) -> PathBuf {
    let left = folder.join("left.sqlite");
    std::fs::copy(main, &left).unwrap();
    for suffix in ["-wal", "-mark"] {
        std::fs::copy(beside(&file(database), suffix), beside(&left, suffix)).unwrap();
    }
    left
}

#[test]
fn what_a_crash_leaves_is_taken_up() {
    block_on(async {
        let (database, folder) = (Database::sqlite(), scratch());
        let bank = Bank::open(&database).await;
        deposit(&bank, 3).await;
        bank.store.rest().await;
        deposit(&bank, 4).await;
        let left = left_behind(&database, &file(&database), folder.path());
        assert_eq!(balance(&open_at(&database, &left).await.unwrap()).await, 7);
    });
}

#[test]
fn a_copy_put_over_a_file_whose_log_is_still_there_is_refused_and_left_alone() {
    block_on(async {
        let (database, folder) = (Database::sqlite(), scratch());
        let bank = Bank::open(&database).await;
        deposit(&bank, 3).await;
        bank.store.rest().await;
        let (raw, proper) = (folder.path().join("raw"), folder.path().join("proper"));
        std::fs::copy(file(&database), &raw).unwrap();
        back_up(&database.url(), "bank", &proper).await.unwrap();
        deposit(&bank, 1).await;
        bank.store.rest().await;
        deposit(&bank, 3).await;
        for copy in [&raw, &proper] {
            let left = left_behind(&database, copy, folder.path());
            let before = std::fs::read(&left).unwrap();
            let refused = open_at(&database, &left).await.err().unwrap();
            assert_eq!(refused.reason, DATABASE_REPLACED, "{refused}");
            assert!(std::fs::read(&left).unwrap() == before && beside(&left, "-wal").exists());
        }
    });
}

#[test]
fn a_copy_made_by_sqlite_itself_since_the_last_checkpoint_is_refused_too() {
    block_on(async {
        let (database, folder) = (Database::sqlite(), scratch());
        let bank = Bank::open(&database).await;
        deposit(&bank, 3).await;
        let copy = folder.path().join("copy");
        back_up(&database.url(), "bank", &copy).await.unwrap();
        deposit(&bank, 3).await;
        let left = left_behind(&database, &copy, folder.path());
        assert_eq!(open_at(&database, &left).await.err().unwrap().reason, DATABASE_REPLACED);
    });
}

/// Another program at the database.
async fn other(file: &Path) -> sea_orm::DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(sqlite_url(file));
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await.unwrap()
}

async fn run(program: &sea_orm::DatabaseConnection, statements: &[&str]) {
    for statement in statements {
        program.execute_unprepared(statement).await.unwrap();
    }
}

const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

#[test]
fn what_other_programs_move_into_the_file_is_in_order() {
    block_on(async {
        for statements in [&[PASSIVE][..], &[TRUNCATE], &["VACUUM"], &["VACUUM", PASSIVE], &["VACUUM", TRUNCATE]] {
            let (database, folder) = (Database::sqlite(), scratch());
            let bank = Bank::open(&database).await;
            deposit(&bank, 50).await;
            run(&other(&file(&database)).await, statements).await;
            let left = left_behind(&database, &file(&database), folder.path());
            let opened = open_at(&database, &left).await;
            assert_eq!(balance(&opened.unwrap_or_else(|error| panic!("{statements:?}: {error}"))).await, 50);
            deposit(&bank, 2).await;
            let later = scratch();
            let left = left_behind(&database, &file(&database), later.path());
            assert_eq!(balance(&open_at(&database, &left).await.unwrap()).await, 52, "{statements:?}");
            run(&other(&file(&database)).await, statements).await;
            bank.store.rest().await;
            deposit(&bank, 1).await;
            assert_eq!((bank.store.intact(), balance(&bank.store).await), (Ok(()), 53), "{statements:?}");
        }
    });
}

#[test]
fn a_store_that_was_dropped_is_opened_again_at_once() {
    block_on(async {
        let (database, folder) = (Database::sqlite(), scratch());
        for times in 1..=10 {
            let bank = Bank::open(&database).await;
            deposit(&bank, 20).await;
            // What its closing begins with.
            run(&other(&file(&database)).await, &[PASSIVE]).await;
            let left = left_behind(&database, &file(&database), folder.path());
            drop(bank);
            assert_eq!(balance(&open_at(&database, &left).await.unwrap()).await, times * 20);
        }
    });
}

#[test]
fn a_file_that_another_program_went_on_with_after_a_crash_is_looked_through() {
    block_on(async {
        let (database, folder) = (Database::sqlite(), scratch());
        let bank = Bank::open(&database).await;
        run(&other(&file(&database)).await, &["CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE)"]).await;
        bank.store.rest().await;
        deposit(&bank, 200).await;
        let left = left_behind(&database, &file(&database), folder.path());
        let note = "INSERT INTO notes (text) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500) \
             SELECT hex(randomblob(50)) FROM n";
        let program = other(&left).await;
        run(&program, &[PASSIVE]).await;
        let older = std::fs::read(&left).unwrap();
        run(&program, &[note, note, PASSIVE, note]).await;
        // As it is while that program is at it.
        let again = folder.path().join("again");
        for suffix in ["", "-wal", "-mark"] {
            std::fs::copy(beside(&left, suffix), beside(&again, suffix)).unwrap();
        }
        let mixed = folder.path().join("mixed");
        std::fs::write(&mixed, older).unwrap();
        for suffix in ["-wal", "-mark"] {
            std::fs::copy(beside(&left, suffix), beside(&mixed, suffix)).unwrap();
        }
        assert_eq!(balance(&open_at(&database, &again).await.unwrap()).await, 200);
        assert!(!beside(&again, "-look").exists());
        let refused = open_at(&database, &mixed).await.err().unwrap();
        assert_eq!(refused.reason, DATABASE_REPLACED, "{refused}");
    });
}

#[test]
fn a_copy_from_before_another_programs_checkpoint_does_not_get_the_log_from_after_it() {
    block_on(async {
        let (database, folder) = (Database::sqlite(), scratch());
        let bank = Bank::open(&database).await;
        deposit(&bank, 50).await;
        let raw = folder.path().join("raw");
        std::fs::copy(file(&database), &raw).unwrap();
        run(&other(&file(&database)).await, &[TRUNCATE]).await;
        deposit(&bank, 3).await;
        let left = left_behind(&database, &raw, folder.path());
        assert_eq!(open_at(&database, &left).await.err().unwrap().reason, DATABASE_REPLACED);
    });
}

#[test]
fn a_copy_written_over_the_file_while_it_is_in_use_is_damage() {
    block_on(async {
        let (database, folder) = (Database::sqlite(), scratch());
        let bank = Bank::open(&database).await;
        deposit(&bank, 50).await;
        let copy = folder.path().join("copy");
        back_up(&database.url(), "bank", &copy).await.unwrap();
        bank.store.rest().await;
        deposit(&bank, 3).await;
        std::fs::write(file(&database), std::fs::read(&copy).unwrap()).unwrap();
        assert_eq!(bank.store.begin().await.err().unwrap().reason, DATABASE_CORRUPT);
        assert_eq!(bank.store.intact().unwrap_err().reason, DATABASE_CORRUPT);
    });
}

#[test]
fn a_damaged_file_is_named_at_its_opening() {
    block_on(async {
        let (database, folder) = (Database::sqlite(), scratch());
        let bank = Bank::open(&database).await;
        deposit(&bank, 30).await;
        bank.store.rest().await;
        let sound = std::fs::read(file(&database)).unwrap();
        for (name, from, to) in [("pages", 4_096, sound.len()), ("a page", 8_192, 12_288), ("all", 0, sound.len())] {
            let damaged = folder.path().join(name);
            let mut bytes = sound.clone();
            bytes[from..to].fill(0x5a);
            std::fs::write(&damaged, bytes).unwrap();
            let refused = open_at(&database, &damaged).await.err().unwrap();
            assert_eq!(refused.reason, DATABASE_CORRUPT, "{name}: {refused}");
        }
        let cut = folder.path().join("cut");
        std::fs::write(&cut, &sound[..sound.len() / 2]).unwrap();
        assert_eq!(open_at(&database, &cut).await.err().unwrap().reason, DATABASE_CORRUPT);
    });
}

#[test]
fn a_file_replaced_while_it_is_in_use_is_written_no_more() {
    block_on(async {
        let (database, folder) = (Database::sqlite(), scratch());
        let bank = Bank::open(&database).await;
        deposit(&bank, 3).await;
        let copy = folder.path().join("copy");
        back_up(&database.url(), "bank", &copy).await.unwrap();
        let aside = folder.path().join("aside");
        std::fs::rename(file(&database), &aside).unwrap();
        std::fs::copy(&copy, file(&database)).unwrap();
        assert_eq!(bank.store.begin().await.err().unwrap().reason, DATABASE_REPLACED);
        assert_eq!(bank.store.intact().unwrap_err().reason, DATABASE_REPLACED);
        std::fs::rename(&aside, file(&database)).unwrap();
        deposit(&bank, 1).await;
    });
}

#[test]
fn a_backup_is_restored_under_a_new_incarnation_when_nobody_uses_the_file() {
    block_on(async {
        let (database, folder) = (Database::sqlite(), scratch());
        let copy = folder.path().join("copy");
        let (incarnation, url) = {
            let bank = Bank::open(&database).await;
            deposit(&bank, 3).await;
            back_up(&database.url(), "bank", &copy).await.unwrap();
            assert_eq!(back_up(&database.url(), "bank", &copy).await.unwrap_err().reason, "FILE_EXISTS");
            deposit(&bank, 3).await;
            assert_eq!(restore(&database.url(), "bank", &copy).await.unwrap_err().reason, "DATABASE_IN_USE");
            (bank.store.incarnation(), database.url())
        };
        let damaged = folder.path().join("damaged");
        let mut bytes = std::fs::read(&copy).unwrap();
        bytes[4_096..].fill(0);
        std::fs::write(&damaged, bytes).unwrap();
        tradewind_testing::eventually(std::time::Duration::from_secs(20), "nobody uses the file", async || {
            let refused = restore(&url, "shop", &copy).await.unwrap_err();
            if refused.reason == "WRONG_DATABASE" { Ok(()) } else { Err(refused) }
        })
        .await;
        assert_eq!(restore(&url, "bank", &damaged).await.unwrap_err().reason, DATABASE_CORRUPT);
        assert_eq!(restore(&url, "bank", &folder.path().join("none")).await.unwrap_err().reason, "FILE_UNAVAILABLE");
        assert_eq!(balance(&open_at(&database, &file(&database)).await.unwrap()).await, 6, "nothing has changed");

        let renewed = tradewind_testing::eventually(std::time::Duration::from_secs(20), "it is restored", async || {
            restore(&url, "bank", &copy).await
        })
        .await;
        let restored = open_at(&database, &file(&database)).await.unwrap();
        assert_eq!((balance(&restored).await, restored.incarnation()), (3, renewed));
        assert_ne!(renewed, incarnation);
        let kept = beside(&file(&database), ".before-restore");
        assert!(kept.exists());
    });
}

#[test]
fn a_running_owner_hears_that_its_loss_was_accepted() {
    block_on(async {
        let database = Database::sqlite();
        let bank = Bank::open(&database).await;
        deposit(&bank, 3).await;
        for reader in ["a reader", "another"] {
            let claim = (9, uuid::Uuid::new_v4());
            bank.store.hear(bank.store.incarnation(), 0, claim, reader).await.unwrap_err();
        }
        assert!(bank.execute("a", Command::Deposit(1)).await.is_err());
        let renewed = accept_loss(&database.url(), "bank").await.unwrap();
        let engine = tradewind_testing::Nats::start();
        let broker = crate::broker::audit::connect(&engine).await;
        let nobody = std::sync::Arc::new(crate::broker::audit::Direct::to(&bank.store));
        let running =
            crate::broker::audit::Running::start(tradewind_events::Engine::new(bank.store.clone(), broker, nobody));
        tradewind_testing::eventually(std::time::Duration::from_secs(20), "deposits are taken again", async || {
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

/// A database in the shared cluster, made and set by these statements.
async fn set(statements: &[&str]) -> (Database, StoreOptions) {
    let database = Database::postgres();
    let (server, name) = database.url().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let connection = sea_orm::Database::connect(format!("{server}/postgres")).await.unwrap();
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
        let options = StoreOptions { url: explicit, ..crate::account::options(&_database, "bank") };
        let store = Store::open(options).await.unwrap();
        assert_eq!(setting(&store, "synchronous_commit").await, "off", "as the URL says");
    });
}
