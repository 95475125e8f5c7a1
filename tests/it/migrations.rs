//! Migrations expand and never contract: a build before and this one work on the same tables during a rollout.
//!
//! What the last release has is in `tests/golden/schema-*.txt`. `UPDATE_GOLDEN=1` writes additions there. What goes away,
//! a release after nothing reads it any more, is deleted there by hand, so that somebody decides it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use supervisor::services;
use tradewind_testing::{Database, block_on};

use crate::shop::Shop;
use crate::tables::Tables;

/// Every column by `<service>.<table>.<column>`.
type Schema = BTreeMap<String, Column>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    kind: String,
    /// A row can be inserted without it.
    optional: bool,
    /// It is part of the table's primary key.
    key: bool,
}

#[test]
fn migrations_only_expand_sqlite() {
    block_on(only_expands("sqlite", Database::sqlite));
}

#[test]
fn migrations_only_expand_postgres() {
    block_on(only_expands("postgres", Database::postgres));
}

async fn only_expands(store: &str, database: fn() -> Database) {
    let shop = Shop::open(database).await;
    let (mut present, mut tables) = (Schema::new(), Tables::new());
    for service in services::names() {
        let connection = tradewind_sql::connect(&shop.database_url(service)).await.unwrap();
        present.extend(columns(service, &connection).await);
        tables.add(service, &connection).await;
    }
    shop.close().await;
    tables.assert_are_as_they_were(store);

    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("golden/schema-{store}.txt"));
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let released = match std::fs::read_to_string(&golden) {
        Ok(text) => read(&text),
        Err(_) if update => Schema::new(),
        Err(error) => panic!("{}: {error}", golden.display()),
    };
    assert_eq!(contractions(&released, &present), Vec::<String>::new());
    if update {
        std::fs::write(&golden, write(&present)).unwrap();
    } else {
        assert_eq!(write(&released), write(&present), "there is something new: UPDATE_GOLDEN=1 writes it down");
    }
}

/// Why a build that knows `before` cannot work on `after`.
fn contractions(before: &Schema, after: &Schema) -> Vec<String> {
    let table = |name: &str| name.rsplit_once('.').unwrap().0.to_owned();
    let existed = |name: &str| before.keys().any(|known| table(known) == table(name));
    let gone = before.iter().filter_map(|(name, was)| match after.get(name) {
        None => Some(format!("{name} is gone")),
        Some(is) if is.kind != was.kind => Some(format!("{name} was {} and is {}", was.kind, is.kind)),
        Some(is) if was.optional && !is.optional => Some(format!("{name} was optional and is required")),
        Some(is) if is.key != was.key => Some(format!("{name} has entered or left the key")),
        Some(_) => None,
    });
    let demanded = after.iter().filter(|(name, is)| !before.contains_key(*name) && existed(name) && !is.optional);
    gone.chain(demanded.map(|(name, _)| format!("{name} is new and required"))).collect()
}

async fn columns(service: &str, connection: &DatabaseConnection) -> Schema {
    let query = match connection.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT t.name AS t, c.name AS c, c.type AS kind, c.pk > 0 AS key, \
             c.\"notnull\" = 0 OR c.dflt_value IS NOT NULL AS optional \
             FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"
        }
        _ => {
            "SELECT c.table_name::text AS t, c.column_name::text AS c, c.data_type::text AS kind, \
             EXISTS (SELECT FROM information_schema.table_constraints k \
                JOIN information_schema.key_column_usage u USING (constraint_schema, constraint_name) \
                WHERE k.constraint_type = 'PRIMARY KEY' AND k.table_schema = c.table_schema \
                AND u.table_name = c.table_name AND u.column_name = c.column_name) AS key, \
             c.is_nullable = 'YES' OR c.column_default IS NOT NULL AS optional \
             FROM information_schema.columns c WHERE c.table_schema = 'public'"
        }
    };
    let rows =
        connection.query_all_raw(Statement::from_string(connection.get_database_backend(), query)).await.unwrap();
    let text = |row: &sea_orm::QueryResult, name: &str| row.try_get::<String>("", name).unwrap();
    rows.iter()
        .map(|row| {
            let name = format!("{service}.{}.{}", text(row, "t"), text(row, "c"));
            // SQLite has no type for it where no table declares one.
            let is = |name| row.try_get("", name).unwrap_or_else(|_| row.try_get::<i64>("", name).unwrap() != 0);
            (name, Column { kind: text(row, "kind").to_lowercase(), optional: is("optional"), key: is("key") })
        })
        .collect()
}

fn write(schema: &Schema) -> String {
    let line = |(name, column): (&String, &Column)| {
        let needed = if column.optional { "optional" } else { "required" };
        format!("{name}: {}, {needed}{}\n", column.kind, if column.key { ", key" } else { "" })
    };
    schema.iter().map(line).collect()
}

fn read(text: &str) -> Schema {
    text.lines()
        .map(|line| {
            let (name, column) = line.split_once(": ").unwrap();
            let facts: Vec<_> = column.split(", ").collect();
            let has = |fact| facts.contains(&fact);
            (name.to_owned(), Column { kind: facts[0].to_owned(), optional: has("optional"), key: has("key") })
        })
        .collect()
}

#[test]
fn each_way_to_contract_is_found() {
    let released = read(
        "shop.order.id: text, required, key\nshop.order.note: text, optional\nshop.price.id: text, required, key\n",
    );
    let after = |change: fn(&mut Schema)| {
        let mut schema = released.clone();
        change(&mut schema);
        contractions(&released, &schema)
    };
    let new = |optional| Column { kind: "text".to_owned(), optional, key: false };
    assert_eq!(after(|_| {}), [""; 0]);
    assert_eq!(after(|schema| drop(schema.remove("shop.order.note"))), ["shop.order.note is gone"]);
    assert_eq!(after(|schema| schema.retain(|name, _| !name.starts_with("shop.price"))), ["shop.price.id is gone"]);
    let retyped = after(|schema| schema.get_mut("shop.order.note").unwrap().kind = "bigint".to_owned());
    assert_eq!(retyped, ["shop.order.note was text and is bigint"]);
    let demanded = after(|schema| schema.get_mut("shop.order.note").unwrap().optional = false);
    assert_eq!(demanded, ["shop.order.note was optional and is required"]);
    let keyed = after(|schema| schema.get_mut("shop.order.note").unwrap().key = true);
    assert_eq!(keyed, ["shop.order.note has entered or left the key"]);

    let mut expanded = released.clone();
    expanded.insert("shop.order.city".to_owned(), new(true));
    expanded.insert("shop.stock.sku".to_owned(), new(false));
    assert_eq!(contractions(&released, &expanded), [""; 0]);
    expanded.insert("shop.order.country".to_owned(), new(false));
    assert_eq!(contractions(&released, &expanded), ["shop.order.country is new and required"]);
}
