//! Lines for whoever takes rows besides the database.

use std::collections::{BTreeMap, btree_map};

/// Rows of several tables, as lines in the form of whoever takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch(BTreeMap<&'static str, Vec<u8>>);

impl Batch {
    pub(crate) fn add(&mut self, table: &'static str, line: &str) {
        let lines = self.0.entry(table).or_default();
        lines.extend_from_slice(line.as_bytes());
        lines.push(b'\n');
    }
}

impl IntoIterator for Batch {
    type Item = (&'static str, Vec<u8>);
    type IntoIter = btree_map::IntoIter<&'static str, Vec<u8>>;

    /// The lines of each table that has any.
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
