//! SQL stands in two rooms, where it is measured and tested over both databases; whoever else has a table has an entity. And where it is
//! of a dialect that no entity speaks.

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

/// Where SQL is ClickHouse's, which is nobody's database: made of numbers, names and literals of that module.
const OTHERS: &str = "services/analytics/src/clickhouse/";

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
    dirs.extend(
        ["outside/src", "books/src", "cli/src", "cli/supervisor/src", "console/src", "shop/src"].map(str::to_owned),
    );
    let found = found(&dirs.iter().map(String::as_str).collect::<Vec<_>>());
    let (others, found): (Vec<_>, Vec<_>) = found.into_iter().partition(|line| line.starts_with(OTHERS));
    assert!(found.is_empty(), "{found:#?}");
    assert!(!others.is_empty(), "there is none in {OTHERS} any more");
}

/// What an entity's field may be: SQLite's driver gives these, and another type would be read as if nothing were there.
const FIELDS: [&str; 10] =
    ["Private", "String", "i64", "bool", "Vec<u8>", "Id", "Payload", "Address", "Hidden", "Model"];

/// Whether a line reads a row's columns by their places, which SQLite's driver has in the order of the alphabet.
fn is_by_place(line: &str) -> bool {
    let tuple = line.split("into_tuple").nth(1);
    line.contains("try_get_by_index") || tuple.is_some_and(|of| !of.starts_with("::<") || of.starts_with("::<("))
}

/// The type of an entity's field, if the line is one.
fn field(line: &str) -> Option<&str> {
    let line = line.trim();
    let (name, of) = line.strip_prefix("pub ").unwrap_or(line).strip_suffix(',')?.split_once(": ")?;
    let of = of.strip_prefix("Option<").and_then(|of| of.strip_suffix('>')).unwrap_or(of);
    (!name.contains(['(', ' ']) && !of.starts_with("Has")).then_some(of)
}

#[test]
fn rows_are_read_by_the_names_and_types_that_both_databases_give() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut entities = 0;
    for source in
        ["kit", "services", "cli/src", "console/src", "shop/src"].iter().flat_map(|dir| sources(&root.join(dir)))
    {
        let text = fs::read_to_string(&source).unwrap();
        let by_place: Vec<_> = text.lines().filter(|line| is_by_place(line)).collect();
        let is_test = source.components().any(|part| part.as_os_str() == "tests");
        assert!(is_test || by_place.is_empty(), "{}: {by_place:?}", source.display());
        let derives = ["DeriveEntityModel", "FromQueryResult", "DerivePartialModel"];
        let rows = derives.iter().flat_map(|derive| text.split(&format!("{derive})]")).skip(1).collect::<Vec<_>>());
        for entity in rows {
            entities += 1;
            let fields = entity.lines().skip(1).take_while(|line| *line != "}").filter_map(field);
            let others: Vec<_> = fields.filter(|of| !FIELDS.contains(of)).collect();
            assert!(others.is_empty(), "{}: {others:?}", source.display());
        }
    }
    assert!(entities >= 10, "only {entities} kinds of rows were found");
    assert!(is_by_place("rows.into_tuple::<(i64, i64)>()") && is_by_place("rows.into_tuple().all(db)"));
    assert!(!is_by_place("rows.into_tuple::<i64>().one(db)"));
    assert_eq!(
        (field("    pub sent: Option<i32>,"), field("    pub lines: HasMany<line::Entity>,")),
        (Some("i32"), None)
    );
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    assert!(!found(&["kit/store/src/tx"]).is_empty());
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
