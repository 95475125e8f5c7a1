//! Statements that are sent as one, and the text that they become.

use std::fmt::{self, Write as _};

use sea_orm::sea_query::{QueryBuilder, SqlWriter};
use sea_orm::{DbBackend, Value};

/// Statements that are sent as one, and their parameters.
#[derive(Default)]
pub(super) struct Joined {
    pub(super) texts: Vec<String>,
    pub(super) values: Vec<Value>,
    /// Those that have to change a certain number of rows.
    pub(super) exact: Vec<(usize, usize)>,
    /// What PostgreSQL computes besides.
    pub(super) also: Option<&'static str>,
}

impl Joined {
    /// How many rows it has to change, where whoever sends it has to see to that.
    pub(super) fn expected(&self, backend: DbBackend) -> Option<u64> {
        let (_, rows) = self.exact.first().filter(|_| backend == DbBackend::Sqlite)?;
        u64::try_from(*rows).ok()
    }

    /// The last statement, to be written on.
    pub(super) fn present(&mut self, backend: DbBackend) -> Option<Present<'_>> {
        Some(Present { backend, text: self.texts.last_mut()?, values: &mut self.values })
    }

    /// All of it as one text, with its parameters.
    pub(super) fn into_one(self, backend: DbBackend) -> (String, Vec<Value>) {
        let Self { mut texts, mut values, exact, also } = self;
        if backend == DbBackend::Sqlite {
            return (texts.pop().unwrap_or_default(), values);
        }
        if !exact.is_empty() {
            let mut counted = Vec::with_capacity(exact.len());
            for (index, rows) in exact {
                if let Some(text) = texts.get_mut(index) {
                    text.push_str(" RETURNING 1");
                }
                values.push(i64::try_from(rows).unwrap_or(i64::MAX).into());
                counted.push(format!("(SELECT COUNT(*) FROM {}) = ${}", name(index), values.len()));
            }
            // Where it is not so, the statement divides by zero, which undoes all of it.
            let also = also.map(|also| format!(", {also}")).unwrap_or_default();
            texts.push(format!("SELECT 1 / CASE WHEN {} THEN 1 ELSE 0 END{also}", counted.join(" AND ")));
        } else if let Some(also) = also {
            texts.push(format!("SELECT {also}"));
        }
        let last = texts.pop().unwrap_or_default();
        let parts = texts.iter().enumerate().map(|(index, text)| format!("{} AS ({text})", name(index)));
        let parts: Vec<_> = parts.collect();
        (if parts.is_empty() { last } else { format!("WITH {} {last}", parts.join(", ")) }, values)
    }
}

/// How a statement that is not the last of its kind is called.
pub(super) fn name(index: usize) -> String {
    format!("part{index}")
}

/// The text of a statement, with the parameters of all that it is joined to. SQLite takes each in its turn: it would look a number
/// up among the names of all.
pub(super) struct Present<'a> {
    backend: DbBackend,
    text: &'a mut String,
    values: &'a mut Vec<Value>,
}

impl Present<'_> {
    pub(super) fn push(&mut self, value: Value) {
        self.values.push(value);
        match self.backend {
            DbBackend::Sqlite => self.text.push('?'),
            // Writing to a text never fails.
            _ => drop(write!(self.text, "${}", self.values.len())),
        }
    }
}

impl SqlWriter for Present<'_> {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, _: &T) {
        self.push(value);
    }

    fn as_writer(&mut self) -> &mut dyn fmt::Write {
        self
    }
}

impl fmt::Write for Present<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.write_str(text)
    }
}

impl fmt::Display for Present<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}
