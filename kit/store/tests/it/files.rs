//! SQLite files: what is left by a crash, damaged, replaced, backed up and restored.

use std::path::{Path, PathBuf};

use tradewind_operate::{back_up, restore};
use tradewind_sql::{DATABASE_CORRUPT, DATABASE_REPLACED, sqlite_file, sqlite_url};
use tradewind_store::{Store, StoreOptions};
use tradewind_testing::{
    Database,
    account::{Account, Bank, Command, options},
    block_on, scratch,
};

pub(crate) fn file(database: &Database) -> PathBuf {
    sqlite_file(&database.url()).unwrap()
}

pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

pub(crate) async fn open_at(database: &Database, file: &Path) -> Result<Store, tradewind_domain::Error> {
    Store::open(StoreOptions { url: sqlite_url(file), ..options(database, "bank") }).await
}

pub(crate) async fn balance(store: &Store) -> u64 {
    store.load::<Account>("a").await.unwrap().state.balance
}

pub(crate) async fn deposit(bank: &Bank, times: usize) {
    for _ in 0..times {
        bank.execute("a", Command::Deposit(1)).await.unwrap();
    }
}

/// What a kill would leave of a database that is in use, with `main` for the database file.
pub(crate) fn left_behind(database: &Database, main: &Path, folder: &Path) -> PathBuf {
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
