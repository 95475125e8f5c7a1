//! The two places of a projection.

use sea_orm::{EntityTrait, QueryTrait, Select};
use tradewind_domain::Error;

/// One of the two places of a projection: the tables that have their entities' names, or those beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// The tables that have their entities' names.
    #[default]
    First,
    /// Those that are called the same and `_2`.
    Second,
}

impl Slot {
    /// The one that is not this.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// What a table is called here whose entity calls it `own`.
    #[must_use]
    pub fn table(self, own: &str) -> String {
        match self {
            Self::First => own.to_owned(),
            Self::Second => format!("{own}_2"),
        }
    }

    /// The consumer that keeps the projection `name` here.
    #[must_use]
    pub fn consumer(self, name: &str) -> String {
        match self {
            Self::First => name.to_owned(),
            Self::Second => format!("{name}-2"),
        }
    }

    /// The same rows, read here.
    #[must_use]
    pub fn select<E: EntityTrait>(self, mut rows: Select<E>) -> Select<E> {
        let own = E::default();
        QueryTrait::query(&mut rows).from_clear().from_as(self.table(own.table_name()), own.table_name());
        rows
    }

    pub(crate) fn number(self) -> i64 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }

    pub(crate) fn numbered(number: i64) -> Result<Self, Error> {
        match number {
            1 => Ok(Self::First),
            2 => Ok(Self::Second),
            _ => Err(Error::internal(format!("a projection has no slot {number}"))),
        }
    }
}
