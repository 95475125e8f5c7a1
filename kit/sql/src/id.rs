//! Ids in columns: PostgreSQL has a type for them, SQLite keeps 16 bytes.

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, DbErr, QueryResult, TryGetError, TryGetable, Value};
use uuid::Uuid;

/// An id, for a column that holds one; `Option<Id>` where it may be NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(pub Uuid);

impl TryGetable for Id {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        if row.try_as_proxy_row().is_none() {
            return Uuid::try_get_by(row, index).map(Self);
        }
        let bytes = Vec::<u8>::try_get_by(row, index)?;
        Uuid::from_slice(&bytes).map(Self).map_err(|error| TryGetError::DbErr(DbErr::Type(error.to_string())))
    }
}

impl From<Id> for Value {
    fn from(Id(id): Id) -> Self {
        id.into()
    }
}

impl Nullable for Id {
    fn null() -> Value {
        Uuid::null()
    }
}

impl ValueType for Id {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <Uuid as ValueType>::try_from(value).map(Self)
    }

    fn type_name() -> String {
        "Id".to_owned()
    }

    fn array_type() -> ArrayType {
        <Uuid as ValueType>::array_type()
    }

    fn column_type() -> ColumnType {
        <Uuid as ValueType>::column_type()
    }
}
