//! Several statements as one: what is written last in a transaction, in as few round trips as the database allows.

mod joined;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use sea_orm::sea_query::{PostgresQueryBuilder, QueryStatementBuilder, SqliteQueryBuilder};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use self::joined::{Joined, name};
use crate::arrays;
use crate::sizes::batches;
use crate::statement::statement;

/// What [`Script::run`] fails with on SQLite when a statement does not change as many rows as it has to; [`is_short`](crate::is_short)
/// knows it on both.
pub(crate) const NOT_AS_MANY: &str = "a statement did not change as many rows as it had to";

/// Several statements, sent in as few round trips as the database allows: on SQLite a statement costs none, on PostgreSQL, where
/// each would cost one, all but the last can be common table expressions.
pub struct Script {
    backend: DbBackend,
    statements: Vec<Joined>,
}

/// Has PostgreSQL answer the commit of the transaction in which it runs before that is on disk.
const LATER: &str = "set_config('synchronous_commit', 'off', true)";

/// A statement that takes a list of rows.
#[derive(Clone, Copy, Default)]
pub struct Listed<'a> {
    /// Its text before the list.
    pub before: &'a str,
    /// Its text after the list.
    pub after: &'a str,
    /// It may change what the statements before it have changed.
    pub follows: bool,
    /// It has to change every row of the list, or the whole script fails.
    pub each: bool,
    /// Columns that it returns on PostgreSQL, and the statement that reads them there.
    pub returned: Option<(&'a str, With)>,
}

/// A statement that reads what another returns, by the name that it is given.
pub type With = fn(&str) -> String;

/// Beyond this many parameters a statement is sent alone, lest ever new combinations crowd the cache of prepared ones.
const JOINED: usize = 256;
/// The most rows that one statement of PostgreSQL's writes.
const MOST_ROWS: usize = 1_024;

impl Script {
    /// No statement yet.
    #[must_use]
    pub fn new(backend: DbBackend) -> Self {
        Self { backend, statements: Vec::new() }
    }

    /// The database it is for.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Starts the next statement with `text`. No two may change the same row, but see [`follow`](Self::follow).
    pub fn start(&mut self, text: &str) -> &mut Self {
        let joined = self.statements.last_mut().filter(|_| self.backend == DbBackend::Postgres);
        match joined.filter(|joined| joined.values.len() <= JOINED) {
            Some(joined) => joined.texts.push(text.to_owned()),
            None => self.alone(text),
        }
        self
    }

    /// Starts a statement that has to change exactly so many rows, which no other changes, or the whole script fails.
    pub fn exactly(&mut self, rows: usize, text: &str) -> &mut Self {
        self.start(text);
        if let Some(joined) = self.statements.last_mut() {
            joined.exact.push((joined.texts.len() - 1, rows));
        }
        self
    }

    /// Has PostgreSQL answer the commit that follows before it is on disk. It is said last, and costs no round trip.
    pub(crate) fn answered_before_it_is_on_disk(&mut self) {
        if let Some(last) = self.statements.last_mut() {
            last.also = Some(LATER);
        }
    }

    fn alone(&mut self, text: &str) {
        self.statements.push(Joined { texts: vec![text.to_owned()], ..Joined::default() });
    }

    /// Starts a statement that may change what those before it have changed.
    pub fn follow(&mut self, text: &str) -> &mut Self {
        self.alone(text);
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
        for (index, value) in row.into_iter().enumerate() {
            self.text(if index == 0 { "(" } else { ", " }).value(value);
        }
        self.text(")")
    }

    /// Adds statements that take `rows`: one on PostgreSQL, where a column is one parameter however many rows there are, and on
    /// SQLite a few.
    pub fn list<R>(&mut self, statement: &Listed<'_>, rows: impl IntoIterator<Item = R>)
    where
        R: IntoIterator<Item = Value>,
    {
        let mut rows: VecDeque<Vec<Value>> = rows.into_iter().map(|row| row.into_iter().collect()).collect();
        let sizes: Vec<usize> = match self.backend {
            DbBackend::Sqlite => batches(rows.len()).collect(),
            _ => vec![MOST_ROWS; rows.len().div_ceil(MOST_ROWS)],
        };
        for (index, size) in sizes.into_iter().enumerate() {
            let rows: Vec<_> = rows.drain(..size.min(rows.len())).collect();
            match statement {
                Listed { each: true, .. } => self.exactly(rows.len(), statement.before),
                Listed { follows: false, .. } if index == 0 => self.start(statement.before),
                _ => self.follow(statement.before),
            };
            self.take(rows);
            self.text(statement.after);
            if let (Some((columns, with)), DbBackend::Postgres) = (statement.returned, self.backend) {
                self.text(" RETURNING ").text(columns).with(with);
            }
        }
    }

    /// Adds a list of rows to the present statement, as `INSERT` and `IN` take it.
    fn take(&mut self, rows: Vec<Vec<Value>>) {
        if self.backend == DbBackend::Postgres
            && rows.len() > 1
            && let Some(columns) = arrays::columns(&rows)
        {
            for (index, (value, of)) in columns.into_iter().enumerate() {
                self.text(if index == 0 { "SELECT * FROM unnest(CAST(" } else { ", CAST(" });
                self.value(value);
                self.text(" AS ").text(of).text("[])");
            }
            self.text(")");
            return;
        }
        for (index, row) in rows.into_iter().enumerate() {
            self.text(if index == 0 { "VALUES " } else { ", " }).row(row);
        }
    }

    fn value(&mut self, value: Value) {
        let backend = self.backend;
        if let Some(mut present) = self.statements.last_mut().and_then(|joined| joined.present(backend)) {
            present.push(value);
        }
    }

    /// Adds what a builder makes to the present statement.
    pub fn add(&mut self, statement: &impl QueryStatementBuilder) -> &mut Self {
        let backend = self.backend;
        if let Some(mut present) = self.statements.last_mut().and_then(|joined| joined.present(backend)) {
            match backend {
                DbBackend::Sqlite => statement.build_collect_any_into(&SqliteQueryBuilder, &mut present),
                _ => statement.build_collect_any_into(&PostgresQueryBuilder, &mut present),
            }
        }
        self
    }

    /// Runs all of it on `connection`, which must be in a transaction: a failure leaves the rest undone.
    ///
    /// # Errors
    /// What the database says, or that a statement did not change as many rows as it had to.
    pub async fn run(self, connection: &impl ConnectionTrait) -> Result<(), DbErr> {
        let expected: Vec<_> = self.statements.iter().map(|joined| joined.expected(self.backend)).collect();
        for (sent, expected) in self.sent().zip(expected) {
            let done = connection.execute_raw(sent).await?;
            if expected.is_some_and(|expected| done.rows_affected() != expected) {
                return Err(DbErr::Custom(NOT_AS_MANY.to_owned()));
            }
        }
        Ok(())
    }

    /// Whether it is sent as several statements, which are all or nothing only in a transaction.
    pub(crate) fn is_split(&self) -> bool {
        self.statements.len() > 1
    }

    /// As the statements are sent.
    pub fn sent(self) -> impl Iterator<Item = Statement> {
        let backend = self.backend;
        self.statements.into_iter().map(move |joined| {
            let (text, values) = joined.into_one(backend);
            statement(backend, text, values)
        })
    }
}
