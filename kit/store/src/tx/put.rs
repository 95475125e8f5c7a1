//! Rows of a service's own tables that are written with the commit.

use std::marker::PhantomData;

use sea_orm::sea_query::{InsertStatement, OnConflict, PostgresQueryBuilder, Query, UpdateStatement, ValueTuple};
use sea_orm::{EntityName as _, EntityTrait, IdenStatic, Iterable as _, ModelTrait, PrimaryKeyTrait, Value};
use tradewind_sql::{Listed, Script};

use super::Tx;

/// How whole rows of an entity are written: its statement, rendered once, whose text the database keeps a plan for. It belongs into
/// a `static`.
pub struct Upsert<E> {
    insert: String,
    on_conflict: String,
    entity: PhantomData<fn() -> E>,
}

impl<E: EntityTrait> Upsert<E> {
    /// Inserts rows of which none may be there: one that is fails the commit with `AlreadyExists`.
    #[must_use]
    pub fn only_new() -> Self {
        Self { insert: insert::<E>().1, on_conflict: String::new(), entity: PhantomData }
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
        Self { insert, on_conflict, entity: PhantomData }
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
pub(super) enum Write {
    /// The text before the rows, and what follows them.
    Put { insert: &'static str, on_conflict: &'static str },
    /// The text before a list of keys.
    Remove { delete: String },
}

impl Tx {
    /// Writes a row with the commit, in one statement with others of the same kind: for what nothing in the transaction reads.
    /// What is put and removed of one row takes effect in the order of these calls.
    pub fn put<M: ModelTrait>(&mut self, upsert: &'static Upsert<M::Entity>, row: M) {
        let table = M::Entity::default().table_name();
        let write = Write::Put { insert: &upsert.insert, on_conflict: &upsert.on_conflict };
        let key = named(row.get_primary_key_value());
        self.pending.write(table, write, key, values(&row));
    }

    /// Runs a change of the service's own tables with the commit: for what nothing else in the transaction reads
    /// or writes.
    pub fn change(&mut self, change: UpdateStatement) {
        self.pending.changes.push(change);
    }

    /// Removes the row with this key in the same way.
    pub fn remove<E>(&mut self, key: &str)
    where
        E: EntityTrait,
        E::PrimaryKey: PrimaryKeyTrait<ValueType = String>,
    {
        let table = E::default().table_name();
        let write = Write::Remove { delete: delete::<E>(E::PrimaryKey::iter()) };
        self.pending.write(table, write, named(ValueTuple::One(key.into())), vec![key.into()]);
    }
}

/// A row's key as one text.
fn named(key: ValueTuple) -> String {
    key.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}
