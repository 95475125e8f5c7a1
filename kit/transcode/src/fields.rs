//! Fields named by a path: `child.thing.id`.

use std::fmt;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::refusal::{Problem, Refusal};
use crate::values::{is_text, parse};

/// The most fields of a path.
const DEEPEST: usize = 16;

/// A field of a message, or of a message in it.
#[derive(Clone)]
pub struct FieldPath {
    text: String,
    fields: Vec<FieldDescriptor>,
}

/// A descriptor would write all that its message holds, without an end where the message holds itself.
impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FieldPath").field(&self.text).finish()
    }
}

impl FieldPath {
    /// Finds a field by the names that the contract or its JSON has.
    ///
    /// # Errors
    /// Where there is none, or the path goes through what has no fields, or through more than 16.
    pub fn new(message: &MessageDescriptor, text: &str) -> Result<Self, Refusal> {
        if text.split('.').nth(DEEPEST).is_some() {
            return Err(Problem::TooDeep.at(text));
        }
        let mut fields: Vec<FieldDescriptor> = Vec::new();
        for name in text.split('.') {
            let inside = fields.last().map_or(Ok(message.clone()), |field| inside(field).map_err(|p| p.at(text)))?;
            let field = inside.get_field_by_name(name).or_else(|| inside.get_field_by_json_name(name));
            fields.push(field.ok_or_else(|| Problem::UnknownField.at(text))?);
        }
        Ok(Self { text: text.to_owned(), fields })
    }

    /// Whether the field can be written as text.
    ///
    /// # Errors
    /// Where it is a map, or a message that JSON does not write as one text.
    pub fn bindable(&self) -> Result<(), Refusal> {
        match self.last() {
            Some(field) if field.is_map() => Err(Problem::MapField.at(&self.text)),
            Some(field) if !is_text(&field.kind()) => Err(Problem::MessageField.at(&self.text)),
            _ => Ok(()),
        }
    }

    /// Sets the field to what a text means, or adds it where the field is repeated.
    ///
    /// # Errors
    /// Where the text means nothing for the field.
    pub fn set(&self, message: &mut DynamicMessage, text: &str) -> Result<(), Refusal> {
        self.bindable()?;
        let Some((field, above)) = self.fields.split_last() else { return Ok(()) };
        let value = parse(&field.kind(), text).map_err(|problem| problem.at(&self.text))?;
        let mut at = message;
        for field in above {
            let Some(next) = at.get_field_mut(field).as_message_mut() else {
                return Err(Problem::PathThroughScalar.at(&self.text));
            };
            at = next;
        }
        if let Some(list) = field.is_list().then(|| at.get_field_mut(field)).and_then(Value::as_list_mut) {
            list.push(value);
        } else {
            at.set_field(field, value);
        }
        Ok(())
    }

    /// As [`FieldPath::set`], but leaves every choice as it was made.
    pub(crate) fn choose(&self, message: &mut DynamicMessage, text: &str) -> Result<(), Refusal> {
        if chosen_otherwise(&self.fields, message) {
            return Err(Problem::OneofSetTwice.at(&self.text));
        }
        self.set(message, text)
    }

    /// Whether this is the other field, or below it.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.fields.starts_with(&other.fields)
    }

    pub(crate) fn is_repeated(&self) -> bool {
        self.last().is_some_and(FieldDescriptor::is_list)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    fn last(&self) -> Option<&FieldDescriptor> {
        self.fields.last()
    }
}

/// Whether another member of a oneof is set, of the last field's or of one above it.
fn chosen_otherwise(fields: &[FieldDescriptor], message: &DynamicMessage) -> bool {
    let Some((field, below)) = fields.split_first() else { return false };
    let other = |other: FieldDescriptor| other != *field && message.has_field(&other);
    if field.containing_oneof().is_some_and(|oneof| oneof.fields().any(other)) {
        return true;
    }
    let set = !below.is_empty() && message.has_field(field);
    set && message.get_field(field).as_message().is_some_and(|message| chosen_otherwise(below, message))
}

fn inside(field: &FieldDescriptor) -> Result<MessageDescriptor, Problem> {
    match field.kind() {
        _ if field.is_map() => Err(Problem::PathThroughMap),
        _ if field.is_list() => Err(Problem::PathThroughRepeated),
        Kind::Message(message) if message.package_name() != "google.protobuf" => Ok(message),
        _ => Err(Problem::PathThroughScalar),
    }
}
