//! Rows of a service's own tables that are written with the commit.

use std::marker::PhantomData;

use sea_orm::sea_query::{
    Iden as _, InsertStatement, OnConflict, PostgresQueryBuilder, Query, UpdateStatement, ValueTuple,
};
use sea_orm::{EntityName as _, EntityTrait, Iterable as _, ModelTrait, PrimaryKeyTrait};

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
        let values = <M::Entity as EntityTrait>::Column::iter().map(|column| row.get(column)).collect();
        self.pending.write(table, write, key, values);
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
        let columns: Vec<_> = E::PrimaryKey::iter().map(|column| column.to_string()).collect();
        let write =
            Write::Remove { delete: format!("DELETE FROM \"{table}\" WHERE \"{}\" IN (", columns.join("\", \"")) };
        self.pending.write(table, write, named(ValueTuple::One(key.into())), vec![key.into()]);
    }
}

/// A row's key as one text.
fn named(key: ValueTuple) -> String {
    key.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}
