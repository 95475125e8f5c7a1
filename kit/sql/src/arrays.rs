//! Rows as PostgreSQL takes many of them: a parameter a column, each an array in the server's own notation, which knows NULL. The
//! statement is the same for any number of rows, so it is planned once.

use std::fmt::Write as _;

use sea_orm::Value;

/// Each column of `rows` as an array, with the type of its elements; `None` where a type is not known here.
pub(crate) fn columns(rows: &[Vec<Value>]) -> Option<Vec<(Value, &'static str)>> {
    let first = rows.first()?;
    let column = |index: usize| {
        let mut array = String::from("{");
        for row in rows {
            if array.len() > 1 {
                array.push(',');
            }
            push(&mut array, row.get(index)?)?;
        }
        array.push('}');
        Some((Value::from(array), type_of(first.get(index)?)?))
    };
    (0..first.len()).map(column).collect()
}

fn type_of(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Bool(_) => "bool",
        Value::Int(_) => "int4",
        Value::BigInt(_) => "int8",
        Value::String(_) => "text",
        Value::Bytes(_) => "bytea",
        Value::Uuid(_) => "uuid",
        _ => return None,
    })
}

fn push(array: &mut String, value: &Value) -> Option<()> {
    match value {
        Value::Bool(Some(value)) => array.push_str(if *value { "t" } else { "f" }),
        Value::Int(Some(value)) => write!(array, "{value}").ok()?,
        Value::BigInt(Some(value)) => write!(array, "{value}").ok()?,
        Value::Uuid(Some(value)) => write!(array, "{value}").ok()?,
        Value::String(Some(text)) => {
            array.push('"');
            for part in text.split_inclusive(['"', '\\']) {
                match part.strip_suffix(['"', '\\']) {
                    Some(before) => {
                        array.push_str(before);
                        array.push('\\');
                        array.push_str(part.get(before.len()..).unwrap_or_default());
                    }
                    None => array.push_str(part),
                }
            }
            array.push('"');
        }
        Value::Bytes(Some(bytes)) => {
            array.push_str("\"\\\\x");
            let digit =
                |nibble: u8| char::from(b"0123456789abcdef".get(usize::from(nibble)).copied().unwrap_or_default());
            array.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]));
            array.push('"');
        }
        Value::Bool(None)
        | Value::Int(None)
        | Value::BigInt(None)
        | Value::Uuid(None)
        | Value::String(None)
        | Value::Bytes(None) => array.push_str("NULL"),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_an_array_in_the_servers_notation() {
        let rows = [
            vec![Value::from("a"), Value::from(-1_i64), Value::from(vec![0_u8, 255]), Value::from(true)],
            vec![Value::String(None), Value::BigInt(None), Value::Bytes(None), Value::Bool(None)],
            vec![Value::from(r#"\ "," "#), Value::from(2_i64), Value::from(Vec::<u8>::new()), Value::from(false)],
        ];
        let expected = [
            (r#"{"a",NULL,"\\ \",\" "}"#, "text"),
            ("{-1,NULL,2}", "int8"),
            (r#"{"\\x00ff",NULL,"\\x"}"#, "bytea"),
            ("{t,NULL,f}", "bool"),
        ];
        assert_eq!(columns(&rows), Some(expected.map(|(array, of)| (Value::from(array), of)).to_vec()));
    }

    #[test]
    fn what_has_no_type_here_is_no_array() {
        assert_eq!(columns(&[vec![Value::Double(Some(1.0))], vec![Value::Double(Some(2.0))]]), None);
        assert_eq!(columns(&[]), None);
    }
}
