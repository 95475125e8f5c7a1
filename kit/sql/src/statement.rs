//! Statements in the common ground of both databases: parameters are `$1`, `$2`, … on either.

use sea_orm::{DbBackend, DbErr, Statement, Value};
use tradewind_domain::Error;

/// A statement whose text is always the same, so that the database prepares it once.
pub fn statement(backend: DbBackend, text: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(backend, text, values)
}

/// A version or position as the databases keep it; none comes near the limit.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A version or position as the databases keep it, back again.
pub fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A partition number as the databases keep it, back again.
pub fn partition(number: i64) -> Result<u16, Error> {
    u16::try_from(number).map_err(Error::internal)
}

/// Several statements, sent in as few round trips as the database allows: each costs a hop to the connection's thread on
/// SQLite, which runs a script of statements that share their parameters, and a network round trip on PostgreSQL, where all
/// but the last can be common table expressions.
pub struct Script {
    backend: DbBackend,
    statements: Vec<Joined>,
}

/// Statements that are sent as one, and their parameters.
struct Joined {
    texts: Vec<String>,
    values: Vec<Value>,
}

/// Beyond this many parameters a statement is sent alone, lest ever new combinations crowd the cache of prepared ones.
const SQLITE_JOINED: usize = 256;
/// Here every connection prepares a combination anew, which costs a round trip.
const POSTGRES_JOINED: usize = 32;

impl Script {
    /// No statement yet.
    #[must_use]
    pub fn new(backend: DbBackend) -> Self {
        Self { backend, statements: Vec::new() }
    }

    /// Starts the next statement with `text`. No two may change the same row, but see [`follow`](Self::follow).
    pub fn start(&mut self, text: &str) -> &mut Self {
        let most = if self.backend == DbBackend::Sqlite { SQLITE_JOINED } else { POSTGRES_JOINED };
        match self.statements.last_mut() {
            Some(joined) if joined.values.len() <= most => joined.texts.push(text.to_owned()),
            _ => self.statements.push(Joined { texts: vec![text.to_owned()], values: Vec::new() }),
        }
        self
    }

    /// Starts a statement that may change what those before it have changed.
    pub fn follow(&mut self, text: &str) -> &mut Self {
        if self.backend == DbBackend::Sqlite {
            return self.start(text);
        }
        self.statements.push(Joined { texts: vec![text.to_owned()], values: Vec::new() });
        self
    }

    /// Starts a statement of PostgreSQL's that reads what the present one returns, by the name that `text` is given.
    pub fn with(&mut self, text: impl FnOnce(&str) -> String) -> &mut Self {
        if let Some(joined) = self.statements.last_mut() {
            let present = name(joined.texts.len().saturating_sub(1));
            joined.texts.push(text(&present));
        }
        self
    }

    /// Adds `text` to the present statement.
    pub fn text(&mut self, text: &str) -> &mut Self {
        if let Some(present) = self.statements.last_mut().and_then(|joined| joined.texts.last_mut()) {
            present.push_str(text);
        }
        self
    }

    /// Adds a parenthesised row of parameters to the present statement.
    pub fn row(&mut self, row: impl IntoIterator<Item = Value>) -> &mut Self {
        if let Some(Joined { texts, values }) = self.statements.last_mut()
            && let Some(script) = texts.last_mut()
        {
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
    pub fn rows<R: IntoIterator<Item = Value>>(&mut self, rows: impl IntoIterator<Item = R>) -> &mut Self {
        for (index, row) in rows.into_iter().enumerate() {
            if index > 0 {
                self.text(", ");
            }
            self.row(row);
        }
        self
    }

    /// Runs all of it on `connection`, which must be in a transaction: a failure leaves the rest undone.
    pub async fn run(self, connection: &impl sea_orm::ConnectionTrait) -> Result<(), DbErr> {
        for sent in self.sent() {
            connection.execute_raw(sent).await?;
        }
        Ok(())
    }

    /// As the statements are sent.
    pub fn sent(self) -> impl Iterator<Item = Statement> {
        let backend = self.backend;
        self.statements
            .into_iter()
            .map(move |Joined { texts, values }| statement(backend, joined(backend, texts), values))
    }
}

/// How a statement that is not the last of its kind is called.
fn name(index: usize) -> String {
    format!("part{index}")
}

fn joined(backend: DbBackend, mut texts: Vec<String>) -> String {
    if backend == DbBackend::Sqlite {
        return texts.join(";\n");
    }
    let last = texts.pop().unwrap_or_default();
    let parts: Vec<_> = texts.iter().enumerate().map(|(index, text)| format!("{} AS ({text})", name(index))).collect();
    if parts.is_empty() { last } else { format!("WITH {} {last}", parts.join(", ")) }
}

/// The most parameters of one statement: PostgreSQL takes 65,535 and SQLite 32,766, and more than this make neither faster.
const MOST_PARAMETERS: usize = 6_000;

/// Splits `items` into what one statement may take that has `parameters` of each of them.
pub fn chunks<T>(items: &[T], parameters: usize) -> std::slice::Chunks<'_, T> {
    items.chunks((MOST_PARAMETERS / parameters.max(1)).max(1))
}

/// The sizes in which `count` rows are written: powers of two up to 32, so that few different statements are prepared.
pub fn batches(mut count: usize) -> impl Iterator<Item = usize> {
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
    fn no_statement_has_more_parameters_than_either_database_takes() {
        let sizes = |count, parameters| chunks(&vec![(); count], parameters).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(0, 3), Vec::<usize>::new());
        assert_eq!(sizes(4_500, 3), [2_000, 2_000, 500]);
        assert_eq!((sizes(2, 0), sizes(2, 7_000)), (vec![2], vec![1, 1]));
    }

    fn texts(script: Script) -> Vec<String> {
        script.sent().map(|sent| sent.sql).collect()
    }

    #[test]
    fn statements_are_joined_as_the_database_can() {
        for (backend, expected) in [
            (DbBackend::Sqlite, ["INSERT INTO a VALUES ($1);\nINSERT INTO b VALUES ($2);\nCOMMIT"].as_slice()),
            (DbBackend::Postgres, &["WITH part0 AS (INSERT INTO a VALUES ($1)) INSERT INTO b VALUES ($2)", "COMMIT"]),
        ] {
            let mut script = Script::new(backend);
            script.start("INSERT INTO a VALUES ").row([Value::from(1_i64)]);
            script.start("INSERT INTO b VALUES ").row([Value::from(1_i64)]);
            script.follow("COMMIT");
            assert_eq!(texts(script), expected, "{backend:?}");
        }
    }

    #[test]
    fn a_statement_can_read_what_another_returns() {
        let mut script = Script::new(DbBackend::Postgres);
        script.start("DELETE FROM a");
        script.start("DELETE FROM b RETURNING id").with(|deleted| format!("INSERT INTO c SELECT id FROM {deleted}"));
        assert_eq!(
            texts(script),
            ["WITH part0 AS (DELETE FROM a), part1 AS (DELETE FROM b RETURNING id) INSERT INTO c SELECT id FROM part1"]
        );
    }

    #[test]
    fn many_parameters_are_sent_alone() {
        let mut script = Script::new(DbBackend::Postgres);
        script.start("INSERT INTO a VALUES ").row(vec![Value::from(1_i64); POSTGRES_JOINED + 1]);
        script.start("DELETE FROM b");
        assert_eq!(texts(script).len(), 2);
    }
}
