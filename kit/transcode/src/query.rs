//! A query's parameters, each the value of a field.

use prost_reflect::{DynamicMessage, ReflectMessage};

use crate::fields::FieldPath;
use crate::percent::decoded;
use crate::refusal::{Problem, Refusal};

/// The longest query, in bytes.
pub const LONGEST_QUERY: usize = 16 * 1024;
/// The most parameters of a query.
pub const MOST_PARAMETERS: usize = 256;

/// Sets the fields that a query (as it was sent, without the question mark) names. Parameters of fields that are bound by a path or
/// a body are left out.
///
/// # Errors
/// Where a parameter names no field, its value means nothing for it, or a field that is not repeated has two.
pub fn bind_query(message: &mut DynamicMessage, query: &str, bound: &[FieldPath]) -> Result<(), Refusal> {
    if query.len() > LONGEST_QUERY {
        return Err(Refusal::MalformedQuery);
    }
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    if parameters.clone().nth(MOST_PARAMETERS).is_some() {
        return Err(Refusal::TooManyParameters { most: MOST_PARAMETERS });
    }
    let descriptor = message.descriptor();
    let mut seen: Vec<FieldPath> = Vec::new();
    for parameter in parameters {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let field = FieldPath::new(&descriptor, &text(name)?)?;
        if bound.iter().any(|bound| field.is_within(bound)) {
            continue;
        }
        if !field.is_repeated() && seen.iter().any(|other| field.is_within(other) && other.is_within(&field)) {
            return Err(Problem::TooManyValues.at(field.text()));
        }
        field.choose(message, &text(value)?)?;
        seen.push(field);
    }
    Ok(())
}

fn text(encoded: &str) -> Result<String, Refusal> {
    let spaced = encoded.replace('+', " ");
    let text = decoded(&spaced).and_then(|bytes| String::from_utf8(bytes.into_owned()).ok());
    text.ok_or(Refusal::MalformedQuery)
}
