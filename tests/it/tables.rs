//! The services' own tables are made as they always were, whoever makes them: types, collations, keys, checks, indexes.
//!
//! What the releases have is in `tests/golden/tables-*.txt`; `UPDATE_GOLDEN=1` writes it anew, when a migration has come.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use supervisor::services;

/// What makes up the tables of a service, without those that every service has, which are the kit's.
pub(crate) struct Tables(BTreeMap<String, Vec<String>>);

impl Tables {
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) async fn add(&mut self, service: &str, connection: &DatabaseConnection) {
        let backend = connection.get_database_backend();
        let query = if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES };
        let rows = connection.query_all_raw(Statement::from_string(backend, query)).await.unwrap();
        for row in rows {
            let definition: String = row.try_get("", "definition").unwrap();
            self.0.entry(plain(&definition)).or_default().push(service.to_owned());
        }
    }

    pub(crate) fn assert_are_as_they_were(&self, store: &str) {
        let all = services::names().len();
        let own = self.0.iter().filter(|(_, services)| services.len() < all);
        let lines = own.flat_map(|(definition, services)| {
            services.iter().map(move |service| format!("{service}: {definition}\n"))
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        let present = lines.concat();
        let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("golden/tables-{store}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, present).unwrap();
        } else {
            let released =
                std::fs::read_to_string(&golden).unwrap_or_else(|error| panic!("{}: {error}", golden.display()));
            assert_eq!(released, present, "tables are made otherwise than in a release");
        }
    }
}

/// SQLite keeps the statements as they were written.
const SQLITE: &str = "SELECT sql AS definition FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'";

const POSTGRES: &str = "SELECT 'column ' || c.relname || '.' || a.attnum || ' ' || a.attname || ' ' \
     || format_type(a.atttypid, a.atttypmod) || COALESCE(' COLLATE ' || l.collname, '') \
     || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE ' NULL' END \
     || COALESCE(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') AS definition \
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' \
     LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
     WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped \
     UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) \
     FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
     UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'";

/// A definition without what makes no difference: case, quotes, blanks.
fn plain(definition: &str) -> String {
    let mut text = definition.replace('"', "").to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    for mark in ["(", ")", ","] {
        text = text.replace(&format!(" {mark}"), mark).replace(&format!("{mark} "), mark);
    }
    text
}

#[test]
fn definitions_are_compared_by_what_they_say() {
    let made = plain("CREATE TABLE \"price\" ( \"id\" text NOT NULL PRIMARY KEY,\n  \"minor\" BIGINT ) WITHOUT ROWID");
    assert_eq!(made, plain("CREATE TABLE price (id TEXT NOT NULL PRIMARY KEY, minor BIGINT) WITHOUT ROWID"));
    assert_ne!(made, plain("CREATE TABLE price (id TEXT NOT NULL PRIMARY KEY, minor BIGINT)"));
    assert_ne!(made, plain("CREATE TABLE price (id TEXT NOT NULL PRIMARY KEY, minor BIGINT NOT NULL) WITHOUT ROWID"));
}
