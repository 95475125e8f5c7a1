//! Tables that are there twice, and what is written to them.

use sea_orm::sea_query::{IndexCreateStatement, TableCreateStatement};
use sea_orm::{DbErr, EntityTrait, ModelTrait};
use sea_orm_migration::SchemaManager;
use tradewind_domain::Error;
use tradewind_sql::Then;
use tradewind_sql::columns::create_clustered;
use tradewind_store::{Rows, Upsert};

use crate::{Batch, Slot};

/// How rows of an entity are written in either slot. It belongs into a `static`.
pub struct Table<E> {
    first: Upsert<E>,
    second: Upsert<E>,
}

impl<E: EntityTrait> Table<E> {
    /// As `upsert` makes it for the entity's own table.
    #[must_use]
    pub fn new(upsert: impl Fn() -> Upsert<E>) -> Self {
        Self { first: upsert(), second: upsert().into_table(&Slot::Second.table(E::default().table_name())) }
    }

    /// Inserts rows in place of those that have the same `key`.
    #[must_use]
    pub fn replacing<const N: usize>(key: [E::Column; N]) -> Self {
        Self::new(|| Upsert::replacing(key))
    }
}

/// Statements that are run in the transaction that has written rows, after them: how sums are kept of rows that say by themselves what
/// has changed of them. It belongs into a `static`.
pub struct Follow {
    first: Vec<Then>,
    second: Vec<Then>,
}

impl Follow {
    /// As `statements` makes them for a slot, without parameters, in the order in which they run.
    #[must_use]
    pub fn new(statements: impl Fn(Slot) -> Vec<Then>) -> Self {
        Self { first: statements(Slot::First), second: statements(Slot::Second) }
    }
}

/// Takes the rows of a projection, for the slot that is kept or built.
pub struct Writer<'a> {
    rows: &'a mut Rows,
    slot: Slot,
    sent: Option<&'a mut Batch>,
}

impl<'a> Writer<'a> {
    /// Adds to `rows` what is written to a slot.
    pub fn new(rows: &'a mut Rows, slot: Slot) -> Self {
        Self { rows, slot, sent: None }
    }

    /// With lines, which are added to `batch`.
    pub(crate) fn sending(self, batch: &'a mut Batch) -> Self {
        Self { sent: Some(batch), ..self }
    }

    /// Writes a row. Several of the same key are written in the order of these calls.
    pub fn put<M: ModelTrait>(&mut self, table: &'static Table<M::Entity>, row: M) {
        let upsert = match self.slot {
            Slot::First => &table.first,
            Slot::Second => &table.second,
        };
        self.rows.put(upsert, row);
    }

    /// Sends a row of a table of the projection's [sink](crate::Projection::sink), as a line in its form. The same event has to make the
    /// same lines whenever it is read.
    ///
    /// # Errors
    /// `Internal` where the projection has no sink.
    pub fn send(&mut self, table: &'static str, line: &str) -> Result<(), Error> {
        let sent = self.sent.as_mut().ok_or_else(|| Error::internal("this projection has no sink"))?;
        sent.add(table, line);
        Ok(())
    }

    /// Runs these once after all rows of the transaction, whoever asks for them.
    pub fn then(&mut self, follow: &'static Follow) {
        let statements = match self.slot {
            Slot::First => &follow.first,
            Slot::Second => &follow.second,
        };
        statements.iter().for_each(|statement| self.rows.then(statement));
    }
}

/// Makes the table `name` of a projection in a slot, with its indexes; in the second, they are all called the same and `_2`.
///
/// # Errors
/// When the database fails.
pub async fn create_in(
    schema: &SchemaManager<'_>,
    slot: Slot,
    name: &str,
    mut table: TableCreateStatement,
    indexes: Vec<IndexCreateStatement>,
) -> Result<(), DbErr> {
    let here = slot.table(name);
    create_clustered(schema, table.table(here.clone()).take()).await?;
    for mut index in indexes {
        let called = slot.table(index.get_index_spec().get_name().unwrap_or(name));
        schema.create_index(index.name(called).table(here.clone()).take()).await?;
    }
    Ok(())
}
