//! SQL stands in the kit alone, where it is measured and tested over both databases; services have entities.

use std::fs;
use std::path::Path;

use crate::purity::sources;

/// How a text in SQL begins.
const VERBS: [&str; 13] = [
    "ALTER ",
    "BEGIN ",
    "CREATE ",
    "DELETE FROM ",
    "DROP ",
    "EXPLAIN ",
    "INSERT INTO ",
    "ON CONFLICT",
    "PRAGMA ",
    "SELECT ",
    "UPDATE ",
    "VACUUM",
    "WITH ",
];

/// What takes a text in SQL, and what asks which database it is.
const NAMES: [&str; 6] =
    ["from_sql_and_values", "execute_unprepared", "Statement::", "DbBackend", "Expr::cust", "cust_with"];

/// They look after a database as such, and have no table of a service: the one that `up` keeps, the one that is measured.
const APART: [&str; 2] = ["cli/src/local/postgres.rs", "cli/src/replay/baseline.rs"];

/// Where SQL stands in the kit above the store: beside the users of tables that are nobody else's business.
const TABLES: [&str; 11] = [
    "kit/events/src/fault/journal.rs",
    "kit/events/src/reader/parked.rs",
    "kit/events/src/reader/stuck.rs",
    "kit/operate/src/backup.rs",
    "kit/operate/src/consumers.rs",
    "kit/operate/src/pause.rs",
    "kit/operate/src/quarantine/act.rs",
    "kit/operate/src/quarantine/parked.rs",
    "kit/operate/src/quarantine/rows.rs",
    "kit/work/src/owed.rs",
    "kit/work/src/queue.rs",
];

fn is_sql(line: &str) -> bool {
    let code = line.trim_start();
    let begins = |text: &str| VERBS.iter().any(|verb| text.trim_start().starts_with(verb));
    !code.starts_with("//") && (NAMES.iter().any(|name| code.contains(name)) || code.split('"').skip(1).any(begins))
}

fn found(dirs: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources = dirs.iter().flat_map(|dir| sources(&root.join(dir)));
    let lines = sources.flat_map(|source| {
        let text = fs::read_to_string(&source).unwrap();
        let name = source.strip_prefix(&root).unwrap().display().to_string();
        let lines: Vec<_> = text.lines().enumerate().filter(|(_, line)| is_sql(line)).collect();
        lines.into_iter().map(|(number, line)| format!("{name}:{}: {}", number + 1, line.trim())).collect::<Vec<_>>()
    });
    lines.collect()
}

#[test]
fn no_sql_stands_outside_the_kit() {
    let services = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../services")).unwrap();
    let services: Vec<_> =
        services.map(|service| format!("services/{}/src", service.unwrap().file_name().display())).collect();
    assert!(services.len() >= 6, "only found {services:?}");
    let mut dirs: Vec<_> = services.iter().map(String::as_str).collect();
    dirs.extend([
        "outside/src",
        "books/src",
        "cli/src",
        "cli/supervisor/src",
        "kit/broker/src",
        "kit/domain/src",
        "kit/fault/src",
        "kit/mesh/src",
        "kit/runtime/src",
    ]);
    let mut found = found(&dirs);
    found.retain(|line| !APART.iter().any(|apart| line.starts_with(apart)));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn above_the_store_sql_stands_beside_the_users_of_tables() {
    let found = found(&["kit/events/src", "kit/operate/src", "kit/replicas/src", "kit/work/src"]);
    let is_at = |line: &String, table: &str| line.starts_with(&format!("{table}:"));
    let elsewhere: Vec<_> = found.iter().filter(|line| !TABLES.iter().any(|table| is_at(line, table))).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
    for table in TABLES {
        assert!(found.iter().any(|line| is_at(line, table)), "{table} needs no exception");
    }
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    assert!(!found(&["kit/store/src/tx"]).is_empty());
    for apart in APART {
        let (dir, _) = apart.rsplit_once('/').unwrap();
        assert!(found(&[dir]).iter().any(|line| line.starts_with(apart)), "{apart} needs no exception");
    }
    for sql in [
        "let text = format!(\"SELECT {COLUMNS} FROM t\");",
        "    \"INSERT INTO t VALUES (1)",
        "match DbBackend::Sqlite",
    ] {
        assert!(is_sql(sql), "{sql}");
    }
    for other in ["/// `SELECT` reads.", "\"{key} selects\"", "Select a product"] {
        assert!(!is_sql(other), "{other}");
    }
}
