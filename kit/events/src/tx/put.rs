//! Rows of a service's own tables that are written with the commit.

use sea_orm::Value;

use super::Tx;

/// A statement that writes rows, which go between its two parts; compared by its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upsert {
    /// `INSERT INTO table (columns)`.
    pub insert: &'static str,
    /// `ON CONFLICT …`, or nothing.
    pub on_conflict: &'static str,
}

impl Tx {
    /// Writes a row with the commit, in one statement with others of the same kind: for what nothing in the transaction reads.
    /// Rows of the same `key` are written in the order of these calls.
    pub fn put(&mut self, upsert: Upsert, key: &str, row: Vec<Value>) {
        self.pending.put(upsert, key, row);
    }
}
