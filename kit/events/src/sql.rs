//! Statements in the common ground of both databases: parameters are `$1`, `$2`, … on either.

use sea_orm::{DbBackend, DbErr, QueryResult, Statement, Value};
use tradewind_domain::Error;
use uuid::Uuid;

use crate::error::db;
use crate::times::from_micros;
use crate::{Metadata, Recorded, StreamName};

/// The columns of `event`, in the order in which they are written and in which [`recorded`] expects them.
pub(crate) const EVENT_COLUMNS: &str =
    "stream, version, id, type, payload, partition_key, partition, time, correlation, causation, traceparent";

/// A statement whose text is always the same, so that the database prepares it once.
pub(crate) fn statement(
    backend: DbBackend,
    text: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(backend, text, values)
}

/// A version or position as the databases keep it; none comes near the limit.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A version or position as the databases keep it, back again.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A partition number as the databases keep it, back again.
pub(crate) fn partition(number: i64) -> Result<u16, Error> {
    u16::try_from(number).map_err(Error::internal)
}

/// Reads a row of [`EVENT_COLUMNS`], with its `position` where the query has one.
pub(crate) fn recorded(row: &QueryResult, with_position: bool) -> Result<Recorded, Error> {
    let number = |column: &str| row.try_get::<i64>("", column).map_err(db);
    let text = |column: &str| row.try_get::<String>("", column).map_err(db);
    Ok(Recorded {
        id: row.try_get::<Uuid>("", "id").map_err(db)?,
        stream: StreamName::from(text("stream")?),
        version: unsigned(number("version")?),
        partition: partition(number("partition")?)?,
        position: if with_position { unsigned(number("position")?) } else { 0 },
        type_name: text("type")?,
        payload: row.try_get("", "payload").map_err(db)?,
        time: from_micros(number("time")?),
        metadata: Metadata {
            correlation: text("correlation")?,
            causation: text("causation")?,
            traceparent: text("traceparent")?,
            partition_key: text("partition_key")?,
        },
    })
}

/// Several statements, sent in as few round trips as the database allows: each costs a hop to the connection's thread on
/// SQLite, which runs a script of statements that share their parameters, and a network round trip on PostgreSQL, which
/// doesn't.
pub(crate) struct Script {
    backend: DbBackend,
    statements: Vec<(String, Vec<Value>)>,
}

/// Beyond this many parameters a statement is sent alone, lest ever new combinations crowd the cache of prepared ones.
const JOINED_PARAMETERS: usize = 256;

impl Script {
    pub(crate) fn new(backend: DbBackend) -> Self {
        Self { backend, statements: Vec::new() }
    }

    /// Starts the next statement with `text`.
    pub(crate) fn start(&mut self, text: &str) -> &mut Self {
        match self.statements.last_mut() {
            Some((script, values)) if self.backend == DbBackend::Sqlite && values.len() <= JOINED_PARAMETERS => {
                script.push_str(";\n");
                script.push_str(text);
            }
            _ => self.statements.push((text.to_owned(), Vec::new())),
        }
        self
    }

    /// Adds `text` to the present statement.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        if let Some((script, _)) = self.statements.last_mut() {
            script.push_str(text);
        }
        self
    }

    /// Adds a parenthesised row of parameters to the present statement.
    pub(crate) fn row(&mut self, row: impl IntoIterator<Item = Value>) -> &mut Self {
        if let Some((script, values)) = self.statements.last_mut() {
            for (index, value) in row.into_iter().enumerate() {
                values.push(value);
                script.push_str(if index == 0 { "($" } else { ", $" });
                script.push_str(&values.len().to_string());
            }
            script.push(')');
        }
        self
    }

    /// Adds comma-separated rows of parameters to the present statement.
    pub(crate) fn rows<R: IntoIterator<Item = Value>>(&mut self, rows: impl IntoIterator<Item = R>) -> &mut Self {
        for (index, row) in rows.into_iter().enumerate() {
            if index > 0 {
                self.text(", ");
            }
            self.row(row);
        }
        self
    }

    /// Runs all of it on `connection`, which must be in a transaction: a failure leaves the rest undone.
    pub(crate) async fn run(self, connection: &impl sea_orm::ConnectionTrait) -> Result<(), DbErr> {
        for (text, values) in self.statements {
            connection.execute_raw(statement(self.backend, text, values)).await?;
        }
        Ok(())
    }
}

/// The sizes in which `count` rows are written: powers of two up to 32, so that few different statements are prepared.
pub(crate) fn batches(mut count: usize) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let size = 32.min(1 << count.checked_ilog2()?);
        count -= size;
        Some(size)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_in_few_sizes() {
        assert_eq!(batches(0).collect::<Vec<_>>(), Vec::<usize>::new());
        assert_eq!(batches(1).collect::<Vec<_>>(), [1]);
        assert_eq!(batches(7).collect::<Vec<_>>(), [4, 2, 1]);
        assert_eq!(batches(70).collect::<Vec<_>>(), [32, 32, 4, 2]);
    }

    #[test]
    fn only_sqlite_joins_statements() {
        for (backend, expected) in [(DbBackend::Sqlite, 1), (DbBackend::Postgres, 2)] {
            let mut script = Script::new(backend);
            script.start("INSERT INTO a VALUES ").row([Value::from(1_i64)]);
            script.start("COMMIT");
            assert_eq!(script.statements.len(), expected, "{backend:?}");
        }
    }
}
