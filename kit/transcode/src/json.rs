//! Bodies, by the JSON mapping of protobuf. A field that the contract does not have is refused.

use prost_reflect::{DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, SerializeOptions};
use serde_json::Value;
use serde_json::error::Category;

use crate::refusal::{Problem, Refusal};

/// Whatever is smaller has a float that is nearest to it.
const NO_FLOAT: f64 = 3.402_823_567_797_336_6e38;

/// Reads a message.
pub(crate) fn read(kind: MessageDescriptor, body: &[u8]) -> Result<DynamicMessage, Refusal> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let message = match read_from(kind.clone(), &mut json) {
        Err(Refusal::Field { problem: Problem::Json(said), .. }) if said == "float value out of range" => {
            let mut json: Value = serde_json::from_slice(body).map_err(|error| not_json(&error))?;
            to_nearest(&kind, &mut json);
            return read_from(kind, json);
        }
        message => message?,
    };
    json.end().map_err(|error| not_json(&error))?;
    Ok(message)
}

/// Brings numbers that are beyond the largest float, and nearer to it than to any other, to what they mean: it is written as
/// 3.4028235e38, which as a double is larger than it is.
fn to_nearest(kind: &MessageDescriptor, json: &mut Value) {
    for (name, value) in json.as_object_mut().into_iter().flatten() {
        let field = kind.get_field_by_json_name(name).or_else(|| kind.get_field_by_name(name));
        let Some(field) = field else { continue };
        let (kind, values): (_, Vec<&mut Value>) = match (field.kind(), value) {
            (Kind::Message(entry), Value::Object(values)) if field.is_map() => {
                (entry.map_entry_value_field().kind(), values.values_mut().collect())
            }
            (kind, Value::Array(values)) if field.is_list() => (kind, values.iter_mut().collect()),
            (kind, value) => (kind, vec![value]),
        };
        let is_float = match &kind {
            Kind::Message(message) => message.full_name() == "google.protobuf.FloatValue",
            kind => *kind == Kind::Float,
        };
        for value in values {
            match (&kind, value.as_f64()) {
                (_, Some(number)) if is_float && number.abs() > f32::MAX.into() && number.abs() < NO_FLOAT => {
                    *value = f64::from(f32::MAX).copysign(number).into();
                }
                (Kind::Message(message), None) => to_nearest(message, value),
                _ => {}
            }
        }
    }
}

/// Reads a body that is the value of one field, into a message with that field alone.
pub(crate) fn read_field(field: &FieldDescriptor, body: &[u8]) -> Result<DynamicMessage, Refusal> {
    let mut whole = DynamicMessage::new(field.parent_message().clone());
    if let (Kind::Message(kind), false) = (field.kind(), field.is_list() || field.is_map()) {
        whole.set_field(field, prost_reflect::Value::Message(read(kind, body)?));
        return Ok(whole);
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| not_json(&error))?;
    let mut whole = serde_json::json!({ field.json_name(): value });
    to_nearest(field.parent_message(), &mut whole);
    read_from(field.parent_message().clone(), whole)
}

fn read_from<'de, D>(kind: MessageDescriptor, json: D) -> Result<DynamicMessage, Refusal>
where
    D: serde::Deserializer<'de, Error = serde_json::Error>,
{
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(json, &mut track);
    DynamicMessage::deserialize_with_options(kind, tracked, &options).map_err(|error| match error.classify() {
        Category::Data => {
            let text = error.to_string();
            let said = text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said);
            Problem::Json(said.to_owned()).at(track.path().to_string())
        }
        Category::Io | Category::Syntax | Category::Eof => not_json(&error),
    })
}

/// Writes a message, or the value of one of its fields. Fields that hold nothing are left out.
pub(crate) fn write(message: &DynamicMessage, field: Option<&FieldDescriptor>) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::with_capacity(256);
    let mut json = serde_json::Serializer::new(&mut body);
    let Some(field) = field else {
        message.serialize_with_options(&mut json, &SerializeOptions::new()).map_err(|_| Refusal::Answer)?;
        return Ok(body);
    };
    let options = SerializeOptions::new().skip_default_fields(false);
    let whole = message.serialize_with_options(serde_json::value::Serializer, &options);
    let whole = whole.map_err(|_| Refusal::Answer)?;
    serde_json::to_vec(whole.get(field.json_name()).unwrap_or(&Value::Null)).map_err(|_| Refusal::Answer)
}

fn not_json(error: &serde_json::Error) -> Refusal {
    Refusal::NotJson { line: error.line(), column: error.column() }
}
