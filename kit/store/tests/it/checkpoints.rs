//! What moves an SQLite file's write-ahead log into it: the store, and other programs.

use std::path::Path;

use sea_orm::ConnectionTrait;
use tradewind_sql::{DATABASE_REPLACED, sqlite_url};
use tradewind_store::StreamName;
use tradewind_testing::{
    Database,
    account::{Account, Bank},
    block_on, scratch,
};

use crate::appending::Large;
use crate::files::{balance, beside, deposit, file, left_behind, open_at};

/// Another program at the database.
pub(crate) async fn other(file: &Path) -> sea_orm::DatabaseConnection {
    tradewind_sql::connect(&sqlite_url(file)).await.unwrap()
}

pub(crate) async fn run(program: &sea_orm::DatabaseConnection, statements: &[&str]) {
    for statement in statements {
        program.execute_unprepared(statement).await.unwrap();
    }
}

pub(crate) const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
pub(crate) const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

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
fn the_log_is_moved_into_the_file_now_and_then_and_overwritten() {
    block_on(async {
        let database = Database::sqlite();
        let bank = Bank::open(&database).await;
        let stream = StreamName::of::<Account>("a");
        let length = |suffix: &str| std::fs::metadata(beside(&file(&database), suffix)).unwrap().len();
        let mut lengths = Vec::new();
        for version in 0..80 {
            let mut tx = bank.store.begin().await.unwrap();
            tx.append(&stream, version, "a", vec![Large(500_000)]).await.unwrap();
            tx.commit().await.unwrap();
            lengths.push(length("-wal"));
        }
        // It grew once and is as long ever since: one that grows again makes every commit dearer.
        let longest = *lengths.iter().max().unwrap();
        assert!(longest < 20_000_000 && lengths.is_sorted(), "{lengths:?}");
        assert!(length("") > 20_000_000, "{}", length(""));
    });
}
