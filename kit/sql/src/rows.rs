//! Rows of entities that are written many at a time: their statements, rendered once, and what becomes of each row in turn.

use std::collections::HashSet;
use std::marker::PhantomData;

use sea_orm::sea_query::{
    InsertStatement, OnConflict, PostgresQueryBuilder, Query, QueryStatementWriter, SqliteQueryBuilder, ValueTuple,
};
use sea_orm::{DbBackend, EntityTrait, IdenStatic, Iterable as _, ModelTrait, PrimaryKeyTrait, Value};

use crate::{Listed, Script};

/// How whole rows of an entity are written: its statement, rendered once, whose text the database keeps a plan for. It belongs into
/// a `static`.
pub struct Upsert<E> {
    table: String,
    insert: String,
    on_conflict: String,
    entity: PhantomData<fn() -> E>,
}

impl<E: EntityTrait> Upsert<E> {
    /// Inserts rows of which none may be there: one that is fails the commit with `AlreadyExists`.
    #[must_use]
    pub fn only_new() -> Self {
        Self { table: table::<E>(), insert: insert::<E>().1, on_conflict: String::new(), entity: PhantomData }
    }

    /// Inserts rows, with this where one is there.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the one text begins with the other, or no row could be written twice")]
    pub fn new(on_conflict: OnConflict) -> Self {
        let (mut statement, insert) = insert::<E>();
        // Values of the conflict stand in the text.
        let whole = statement.on_conflict(on_conflict).to_string(PostgresQueryBuilder);
        let before = insert.trim_end();
        let on_conflict = whole.strip_prefix(before).expect("what follows the same statement").to_owned();
        Self { table: table::<E>(), insert, on_conflict, entity: PhantomData }
    }

    /// Writes into a `table` that has the entity's columns, and not into the entity's own.
    #[must_use]
    pub fn into_table(self, table: &str) -> Self {
        let own = format!("\"{}\"", self.table);
        let insert = self.insert.replacen(&own, &format!("\"{table}\" AS {own}"), 1);
        Self { table: table.to_owned(), insert, ..self }
    }
}

impl<E: EntityTrait> Upsert<E> {
    /// Inserts rows in place of those that have the same `key`.
    #[must_use]
    pub fn replacing<const N: usize>(key: [E::Column; N]) -> Self {
        let is_key = |column: &E::Column| key.iter().any(|part| part.as_str() == column.as_str());
        let others: Vec<_> = E::Column::iter().filter(|column| !is_key(column)).collect();
        Self::new(OnConflict::columns(key).update_columns(others).to_owned())
    }

    /// Adds the statements that write `rows`, of which no two have the same key; they may be `follow`ing what changes the same.
    pub fn write(&self, script: &mut Script, follows: bool, rows: impl IntoIterator<Item = E::Model>) {
        let statement = Listed { before: &self.insert, after: &self.on_conflict, follows, ..Listed::default() };
        script.list(&statement, rows.into_iter().map(|row| values(&row)));
    }
}

/// How rows of an entity are deleted by some of their columns: its statement, rendered once.
pub struct Removal<E> {
    delete: String,
    entity: PhantomData<fn() -> E>,
}

impl<E: EntityTrait> Removal<E> {
    /// Deletes by these columns.
    #[must_use]
    pub fn by<const N: usize>(columns: [E::Column; N]) -> Self {
        Self { delete: delete::<E>(columns), entity: PhantomData }
    }

    /// Adds the statements that delete the rows which have one of these `keys`, where they are there.
    pub fn write<const N: usize>(&self, script: &mut Script, keys: impl IntoIterator<Item = [Value; N]>) {
        script.list(&Listed { before: &self.delete, after: ")", ..Listed::default() }, keys);
    }

    /// The same where all of them have to be there, or the whole script fails.
    pub fn write_each<const N: usize>(&self, script: &mut Script, keys: impl IntoIterator<Item = [Value; N]>) {
        script.list(&Listed { before: &self.delete, after: ")", each: true, ..Listed::default() }, keys);
    }
}

fn table<E: EntityTrait>() -> String {
    E::default().table_name().to_owned()
}

/// The text before a list of keys.
fn delete<E: EntityTrait>(columns: impl IntoIterator<Item = impl IdenStatic>) -> String {
    let columns: Vec<_> = columns.into_iter().map(|column| column.as_str().to_owned()).collect();
    format!("DELETE FROM \"{}\" WHERE (\"{}\") IN (", E::default().table_name(), columns.join("\", \""))
}

/// A row in the order of its columns.
fn values<M: ModelTrait>(row: &M) -> Vec<Value> {
    <M::Entity as EntityTrait>::Column::iter().map(|column| row.get(column)).collect()
}

/// The statement that inserts whole rows, and its text up to them, which both databases understand alike.
fn insert<E: EntityTrait>() -> (InsertStatement, String) {
    let mut statement = Query::insert();
    statement.into_table(E::default().table_ref()).columns(E::Column::iter());
    let text = statement.to_string(PostgresQueryBuilder) + " ";
    (statement, text)
}

/// A statement that writes rows of one table, with the rows left out.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Write {
    /// The text before the rows, and what follows them.
    Put { insert: &'static str, on_conflict: &'static str },
    /// The text before a list of keys.
    Remove { delete: String },
}

/// Rows that are to be written together, of whatever tables: those of one statement by statement, in an order that keeps what
/// becomes of each row; no key is twice in one.
#[derive(Default)]
pub struct Rows(Vec<Statement>, Vec<&'static Then>);

struct Statement {
    table: &'static str,
    write: Write,
    keys: HashSet<String>,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    /// Adds a row that is put where `upsert` says.
    pub fn put<M: ModelTrait>(&mut self, upsert: &'static Upsert<M::Entity>, row: M) {
        let write = Write::Put { insert: &upsert.insert, on_conflict: &upsert.on_conflict };
        let key = named(row.get_primary_key_value());
        self.write(&upsert.table, write, key, values(&row));
    }

    /// Removes the row of an entity that has this key.
    pub fn remove<E>(&mut self, key: &str)
    where
        E: EntityTrait,
        E::PrimaryKey: PrimaryKeyTrait<ValueType = String>,
    {
        let write = Write::Remove { delete: delete::<E>(E::PrimaryKey::iter()) };
        self.write(E::default().table_name(), write, named(ValueTuple::One(key.into())), vec![key.into()]);
    }

    /// Runs `statement` after all rows are written, and once however often it is asked for. Several run in the order in which they were
    /// asked for first.
    pub fn then(&mut self, statement: &'static Then) {
        if !self.1.iter().any(|there| std::ptr::eq(*there, statement)) {
            self.1.push(statement);
        }
    }

    /// Every value that is to be written.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.iter_mut().flat_map(|statement| statement.rows.iter_mut().flatten())
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty() && self.1.is_empty()
    }

    fn write(&mut self, table: &'static str, write: Write, key: String, row: Vec<Value>) {
        // Nothing that follows what is written of the row before may be joined to what precedes it.
        let later = self.0.iter().rposition(|rows| rows.table == table && rows.keys.contains(&key));
        let mut later = self.0.iter_mut().skip(later.map_or(0, |last| last + 1));
        if let Some(same) = later.rfind(|rows| rows.table == table && rows.write == write) {
            same.keys.insert(key);
            same.rows.push(row);
        } else {
            self.0.push(Statement { table, write, keys: HashSet::from([key]), rows: vec![row] });
        }
    }

    /// Adds those of `others`, which are written after these.
    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
        others.1.into_iter().for_each(|statement| self.then(statement));
    }

    /// Adds the statements that write them all, and leaves none.
    pub fn add_to(&mut self, script: &mut Script) {
        let mut tables = HashSet::new();
        for Statement { table, write, rows, .. } in std::mem::take(&mut self.0) {
            // It may change what an earlier one of its table has changed.
            let follows = !tables.insert(table);
            let (before, after) = match &write {
                Write::Put { insert, on_conflict } => (*insert, *on_conflict),
                Write::Remove { delete } => (delete.as_str(), ")"),
            };
            script.list(&Listed { before, after, follows, ..Listed::default() }, rows);
        }
        for statement in std::mem::take(&mut self.1) {
            script.follow(statement.text(script.backend()));
        }
    }
}

/// A statement without parameters that is run after rows are written, rendered once for either database. It belongs into a `static`.
pub struct Then {
    sqlite: String,
    postgres: String,
}

impl Then {
    /// As a builder has made it.
    #[must_use]
    pub fn new(statement: &impl QueryStatementWriter) -> Self {
        Self { sqlite: statement.to_string(SqliteQueryBuilder), postgres: statement.to_string(PostgresQueryBuilder) }
    }

    fn text(&self, backend: DbBackend) -> &str {
        if backend == DbBackend::Sqlite { &self.sqlite } else { &self.postgres }
    }
}

/// A row's key as one text.
fn named(key: ValueTuple) -> String {
    key.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use sea_orm::sea_query::Expr;

    use super::*;

    fn written(writes: &[(&str, &str)]) -> Vec<String> {
        let mut rows = Rows::default();
        for (write, key) in writes {
            let write = match *write {
                "put" => Write::Put { insert: "PUT ", on_conflict: " OR ELSE" },
                _ => Write::Remove { delete: "REMOVE (".to_owned() },
            };
            rows.write("car", write, (*key).to_owned(), vec![(*key).into()]);
        }
        let mut script = Script::new(DbBackend::Sqlite);
        rows.add_to(&mut script);
        script.sent().map(|sent| sent.sql).collect()
    }

    #[test]
    fn what_follows_the_rows_runs_once_and_after_all_of_them() {
        static COUNT: LazyLock<Then> = LazyLock::new(|| Then::new(Query::select().expr(Expr::val(1))));
        static TELL: LazyLock<Then> = LazyLock::new(|| Then::new(Query::select().expr(Expr::val(2))));
        let mut rows = Rows::default();
        rows.then(&COUNT);
        rows.write("car", Write::Remove { delete: "REMOVE (".to_owned() }, "a".to_owned(), vec!["a".into()]);
        let mut others = Rows::default();
        others.then(&TELL);
        others.then(&COUNT);
        rows.append(others);
        let mut script = Script::new(DbBackend::Sqlite);
        rows.add_to(&mut script);
        assert_eq!(
            script.sent().map(|sent| sent.sql).collect::<Vec<_>>(),
            ["REMOVE (VALUES (?))", "SELECT 1", "SELECT 2"]
        );
        assert!(rows.is_empty());
    }

    #[test]
    fn rows_share_a_statement_unless_one_row_is_written_twice() {
        assert_eq!(
            written(&[("put", "a"), ("remove", "b"), ("put", "c"), ("remove", "d")]),
            ["PUT VALUES (?), (?) OR ELSE", "REMOVE (VALUES (?), (?))"]
        );
        assert_eq!(
            written(&[("put", "a"), ("remove", "a"), ("put", "b"), ("put", "a"), ("remove", "b")]),
            ["PUT VALUES (?), (?) OR ELSE", "REMOVE (VALUES (?), (?))", "PUT VALUES (?) OR ELSE"]
        );
        assert_eq!(
            written(&[("put", "a"), ("put", "a"), ("put", "b"), ("remove", "b")]),
            ["PUT VALUES (?) OR ELSE", "PUT VALUES (?), (?) OR ELSE", "REMOVE (VALUES (?))"]
        );
    }
}
