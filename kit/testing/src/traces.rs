//! What can be read of somebody where a database keeps it.

use std::fs;

use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement, Value};
use tradewind_sql::{sqlite_file, statement};

use crate::Database;

/// Where something is found in a database as these bytes: each `table.column` that has them in a row, and of SQLite each file beside
/// it, with what is free in there and what its log holds.
///
/// # Panics
/// When the database cannot be read.
pub async fn traces(database: &Database, of: &str) -> Vec<String> {
    let mut found = columns_with(database, of).await;
    let file = sqlite_file(&database.url());
    for entry in file.iter().filter_map(|file| file.parent()).flat_map(|folder| fs::read_dir(folder).expect("a folder"))
    {
        let path = entry.expect("a file").path();
        // Its own lock may come and go.
        let Ok(bytes) = fs::read(&path) else { continue };
        if bytes.windows(of.len()).any(|bytes| bytes == of.as_bytes()) {
            found.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    found
}

/// Each `table.column` of a database that has these bytes in a row, by name.
///
/// # Panics
/// When the database cannot be read.
pub async fn columns_with(database: &Database, bytes: &str) -> Vec<String> {
    let connection = connect(database).await;
    let columns = if database.is_postgres() {
        "SELECT table_name::text AS t, column_name::text AS c, CASE data_type WHEN 'bytea' THEN 'bytes' ELSE 'text' END AS kind \
         FROM information_schema.columns WHERE table_schema = 'public'"
    } else {
        "SELECT t.name AS t, c.name AS c, 'bytes' AS kind FROM sqlite_master t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table'"
    };
    let mut found = Vec::new();
    for row in all(&connection, columns, Vec::new()).await {
        let [table, column, kind] = ["t", "c", "kind"].map(|name| row.try_get::<String>("", name).expect("a name"));
        let has = match (database.is_postgres(), kind.as_str()) {
            (true, "bytes") => format!("position($1 IN \"{column}\") > 0"),
            (true, _) => format!("position($1 IN convert_to(\"{column}\"::text, 'UTF8')) > 0"),
            (false, _) => format!("instr(CAST(\"{column}\" AS BLOB), $1) > 0"),
        };
        let rows = format!("SELECT 1 AS one FROM \"{table}\" WHERE {has}");
        if !all(&connection, &rows, vec![bytes.as_bytes().to_vec().into()]).await.is_empty() {
            found.push(format!("{table}.{column}"));
        }
    }
    found.sort();
    found
}

/// Lets a database that nobody uses now be as one from before there were seals, which goes on without.
///
/// # Panics
/// When the database cannot be written.
pub async fn unsealed(database: &Database) {
    let connection = connect(database).await;
    connection
        .execute_raw(said(&connection, "DELETE FROM meta WHERE key = 'seals'", Vec::new()))
        .await
        .expect("a change");
}

async fn connect(database: &Database) -> DatabaseConnection {
    tradewind_sql::connect(&database.url()).await.expect("a database")
}

async fn all(connection: &DatabaseConnection, query: &str, values: Vec<Value>) -> Vec<QueryResult> {
    connection.query_all_raw(said(connection, query, values)).await.expect("rows")
}

fn said(connection: &DatabaseConnection, text: &str, values: Vec<Value>) -> Statement {
    statement(connection.get_database_backend(), text, values)
}
