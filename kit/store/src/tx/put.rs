//! Rows of a service's own tables that are written with the commit.

use sea_orm::sea_query::UpdateStatement;
use sea_orm::{EntityTrait, ModelTrait, PrimaryKeyTrait};
use tradewind_sql::{Rows, Upsert};

use super::Tx;

impl Tx {
    /// Writes a row with the commit, in one statement with others of the same kind: for what nothing in the transaction reads.
    /// What is put and removed of one row takes effect in the order of these calls.
    pub fn put<M: ModelTrait>(&mut self, upsert: &'static Upsert<M::Entity>, row: M) {
        self.pending.rows.put(upsert, row);
    }

    /// All rows that are written with the commit.
    pub fn rows(&mut self) -> &mut Rows {
        &mut self.pending.rows
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
        self.pending.rows.remove::<E>(key);
    }
}
