//! Values on their way into SQLite and out of it: texts, bytes, booleans, numbers of 64 bits. Of an id it has 16 bytes
//! ([`Id`](crate::Id)). sea-orm takes a value of another type for none at all.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Error, Result, Row, Statement};
use sea_orm::{ProxyRow, Value};

/// Binds `values` to a statement's parameters: `$1`, `$2`, … by their number, `?` in their turn.
pub(super) fn bind(statement: &mut Statement<'_>, values: &[Value]) -> Result<()> {
    for index in 1..=statement.parameter_count() {
        let number = match statement.parameter_name(index) {
            None => index,
            Some(name) => {
                let number = name.get(1..).and_then(|number| number.parse().ok());
                number.ok_or_else(|| Error::InvalidParameterName(name.to_owned()))?
            }
        };
        let value = number.checked_sub(1).and_then(|place| values.get(place));
        statement
            .raw_bind_parameter(index, given(value.ok_or(Error::InvalidParameterCount(values.len(), number))?)?)?;
    }
    Ok(())
}

fn given(value: &Value) -> Result<ToSqlOutput<'_>> {
    let given = match value {
        Value::Bool(value) => value.map(|value| ValueRef::Integer(value.into())),
        Value::Int(value) => value.map(|value| ValueRef::Integer(value.into())),
        Value::BigInt(value) => value.map(ValueRef::Integer),
        Value::BigUnsigned(value) => match value.map(i64::try_from).transpose() {
            Ok(value) => value.map(ValueRef::Integer),
            Err(error) => return Err(Error::ToSqlConversionFailure(error.into())),
        },
        Value::Double(value) => value.map(ValueRef::Real),
        Value::String(value) => value.as_deref().map(|text| ValueRef::Text(text.as_bytes())),
        Value::Bytes(value) => value.as_deref().map(ValueRef::Blob),
        Value::Uuid(value) => value.as_ref().map(|id| ValueRef::Blob(id.as_bytes())),
        _ => return Err(Error::ToSqlConversionFailure("a value of a type that SQLite is not given here".into())),
    };
    Ok(ToSqlOutput::Borrowed(given.unwrap_or(ValueRef::Null)))
}

/// The columns of a statement's rows, and which of them a table declares to be booleans: SQLite itself would call those numbers.
pub(super) struct Columns(Vec<(String, bool)>);

impl Columns {
    pub(super) fn of(statement: &Statement<'_>) -> Self {
        let is_boolean = |declared: Option<&str>| declared.is_some_and(|of| of.eq_ignore_ascii_case("boolean"));
        let columns = statement.columns();
        Self(columns.iter().map(|column| (column.name().to_owned(), is_boolean(column.decl_type()))).collect())
    }

    /// A row by the names of its columns.
    pub(super) fn row(&self, row: &Row<'_>) -> Result<ProxyRow> {
        let columns = self.0.iter().enumerate();
        let values = columns.map(|(index, (name, is_boolean))| Ok((name.clone(), taken(row, index, *is_boolean)?)));
        Ok(ProxyRow::new(values.collect::<Result<_>>()?))
    }
}

fn taken(row: &Row<'_>, index: usize, is_boolean: bool) -> Result<Value> {
    Ok(match row.get_ref(index)? {
        // Of whatever type: it is asked for as one that may be missing.
        ValueRef::Null => Value::BigInt(None),
        ValueRef::Integer(number) if is_boolean => Value::from(number != 0),
        ValueRef::Integer(number) => Value::from(number),
        ValueRef::Real(number) => Value::from(number),
        ValueRef::Text(text) => Value::from(str::from_utf8(text).map_err(|error| Error::Utf8Error(index, error))?),
        ValueRef::Blob(bytes) => Value::from(bytes),
    })
}
