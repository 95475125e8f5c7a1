//! SQL stands in two rooms, where it is measured and tested over both databases; whoever else has a table has an entity.

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

/// Where SQL stands: what knows the databases, and what knows the log; and what makes throwaway ones for tests.
const TEXTS: [&str; 3] = ["kit/sql/", "kit/store/", "kit/testing/"];

/// They look after a database as such, and have no table of a service: the one that `up` keeps, the one that is measured.
const APART: [&str; 2] = ["cli/src/local/postgres.rs", "cli/src/replay/baseline.rs"];

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
fn no_sql_stands_outside_kit_sql_and_kit_store() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let within = |dir: &str| {
        let rooms = fs::read_dir(root.join(dir)).unwrap();
        rooms.map(|room| format!("{dir}/{}/src", room.unwrap().file_name().display())).collect::<Vec<_>>()
    };
    let (services, mut dirs) = (within("services"), within("kit"));
    assert!(services.len() >= 6 && dirs.len() >= 10, "only found {services:?} and {dirs:?}");
    dirs.retain(|dir| !TEXTS.iter().any(|texts| dir.starts_with(texts)));
    dirs.extend(services);
    dirs.extend(["outside/src", "books/src", "cli/src", "cli/supervisor/src"].map(str::to_owned));
    let mut found = found(&dirs.iter().map(String::as_str).collect::<Vec<_>>());
    found.retain(|line| !APART.iter().any(|apart| line.starts_with(apart)));
    assert!(found.is_empty(), "{found:#?}");
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
