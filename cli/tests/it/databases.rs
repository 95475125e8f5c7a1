//! Copies of a database, by the program while its service runs and when it is stopped.

use std::process::{Command, Output};

use tokio::runtime::Runtime;
use tradewind_mesh::IdentityFiles;
use tradewind_runtime::Settings;

use crate::program::{Folder, complained, printed};

fn said(output: &Output) -> String {
    printed(output) + &complained(output)
}

#[test]
fn a_backup_is_made_beside_a_running_service_and_restored_when_it_is_stopped() {
    let folder = Folder::new();
    assert!(folder.tradewind(&["pki", "init"]).status().unwrap().success());
    let runtime = Runtime::new().unwrap();
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    let url = tradewind_sql::sqlite_url(&folder.path().join("data/inventory.db"));
    let files = IdentityFiles::in_dir(&folder.path().join("pki"), "inventory");
    let settings = Settings::in_process(files, url, "nats://127.0.0.1:1");
    let mut running = runtime.block_on(async { inventory::service().start(settings).await.unwrap() });
    let copy = folder.path().join("copy");
    let copy = copy.to_str().unwrap();
    let run = |args: &[&str]| folder.tradewind(args).output().unwrap();

    tradewind_testing::block_on(tradewind_testing::eventually(
        std::time::Duration::from_secs(30),
        "a backup is made",
        async || {
            let made = run(&["database", "backup", "inventory", "--to", copy]);
            if made.status.success() { Ok(()) } else { Err(said(&made)) }
        },
    ));
    let again = run(&["database", "backup", "inventory", "--to", copy]);
    assert!(!again.status.success() && said(&again).contains("FILE_EXISTS"), "{}", said(&again));
    let early = run(&["database", "restore", "inventory", "--from", copy]);
    assert!(!early.status.success() && said(&early).contains("DATABASE_IN_USE"), "{}", said(&early));

    runtime.block_on(async {
        running.stop();
        running.wait().await.unwrap();
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(10));
    let other = run(&["database", "restore", "payment", "--from", copy]);
    assert!(!other.status.success() && said(&other).contains("WRONG_DATABASE"), "{}", said(&other));
    let restored = run(&["database", "restore", "inventory", "--from", copy]);
    assert!(restored.status.success(), "{}", said(&restored));
    let accepted = run(&["database", "accept-loss", "inventory"]);
    assert!(accepted.status.success() && printed(&accepted).contains("the log of inventory is"), "{}", said(&accepted));
}

#[test]
fn what_is_no_database_is_named() {
    let folder = Folder::new();
    for (args, reason) in [
        (&["accept-loss", "inventory"][..], "NO_FILE"),
        (&["backup", "inventory", "--to", "x"], "NO_FILE"),
        (&["backup", "inventory", "--to", "x", "--url", "postgres://localhost/x"], "pg_dump"),
        (&["restore", "inventory", "--from", "nothing"], "FILE_UNAVAILABLE"),
        (&["restore", "billing", "--from", "nothing"], "invalid value 'billing'"),
        (&["accept-loss", "inventory", "--url", "mysql://x/y"], "DATABASE"),
    ] {
        let output = folder.tradewind(&[&["database"], args].concat()).output().unwrap();
        assert!(!output.status.success() && said(&output).contains(reason), "{args:?}: {}", said(&output));
    }
}

#[test]
fn what_is_typed_counts_before_what_the_environment_says() {
    let folder = Folder::new();
    let (variable, file) = ("TRADEWIND_DATABASE_URL", "TRADEWIND_DATABASE_URL_FILE");
    let run = |args: &[&str], name: &str, value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
        command.args(["database", "accept-loss", "inventory"]).args(args);
        said(&command.env("TRADEWIND_DIR", folder.path()).env(name, value).output().unwrap())
    };
    let elsewhere = folder.path().join("elsewhere");
    let elsewhere = elsewhere.to_str().unwrap();
    let in_folder = format!("{elsewhere}/data/inventory.db");
    for (name, value) in [(variable, "mysql://x/y"), (file, "/nowhere")] {
        let told = run(&["--dir", elsewhere], name, value);
        assert!(told.contains("NO_FILE") && told.contains(&in_folder), "{name}: {told}");
        let told = run(&["--url", "sqlite:///nowhere/x.db"], name, value);
        assert!(told.contains("NO_FILE") && told.contains("/nowhere/x.db"), "{name}: {told}");
    }
    let told = run(&["--url-file", "/typed"], variable, "mysql://x/y");
    assert!(told.contains("/typed cannot be read"), "{told}");
    let told = run(&[], variable, "mysql://x/y");
    assert!(told.contains("is not a sqlite:// or postgres:// URL"), "{told}");
    let told = run(&["--url", "sqlite:///x.db", "--url-file", "/typed"], variable, "");
    assert!(told.contains("both a URL and a file"), "{told}");
}
