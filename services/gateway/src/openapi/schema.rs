//! Messages as JSON schemas, by protobuf's JSON mapping. What is answered has one form; what is asked may have any that is read: a
//! number as text, an enum's value by its number, null for what is not there.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value as Field};
use serde_json::{Map, Value, json};

use super::comments::Comments;
use super::holds::Holds;
use super::range::{between, natural};

const UUID: &str = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
const BASE64: &str = "^[A-Za-z0-9+/_-]*={0,2}$";
/// The longest that a duration may be, in seconds.
const LONGEST: i64 = 315_576_000_000;

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the body of a request.
    Body,
    /// In a path or a query, as text.
    Parameter,
    /// In an answer.
    Answer,
}

/// The schemas of messages that are named somewhere.
#[derive(Default)]
pub(super) struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    /// All of them, and what an error is.
    pub(super) fn all(self) -> Map<String, Value> {
        self.0.into_iter().chain([("Error".to_owned(), error())]).collect()
    }

    /// A reference to a message's schema, which is made if it is not there.
    pub(super) fn refer(&mut self, message: &MessageDescriptor, place: Place) -> Value {
        if let Some(known) = well_known(message, place) {
            return known;
        }
        let name = match place {
            Place::Answer => message.full_name().to_owned(),
            Place::Body | Place::Parameter => format!("{}.Input", message.full_name()),
        };
        if !self.0.contains_key(&name) {
            // It may hold itself.
            self.0.insert(name.clone(), Value::Null);
            let schema = self.object(message, &[], None, place);
            self.0.insert(name.clone(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// A message without some of its fields, whose numbers are not less than `least`.
    pub(super) fn object(
        &mut self,
        message: &MessageDescriptor,
        without: &[String],
        least: Option<i64>,
        place: Place,
    ) -> Value {
        let fields: Vec<_> = message.fields().filter(|field| !without.iter().any(|name| name == field.name())).collect();
        let mut required = Vec::new();
        let mut properties = Map::new();
        for field in &fields {
            let mut holds = Holds::of(field);
            if least.is_some() && is_number(&field.kind()) {
                holds.minimum = least;
                holds.required |= least.is_some_and(|least| least > 0);
            }
            if holds.required && place != Place::Answer {
                required.push(field.json_name().to_owned());
            }
            properties.insert(field.json_name().to_owned(), self.holding(field, &holds, place));
        }
        let description = Comments::of_message(message);
        let mut schema = json!({
            "type": "object",
            "description": description,
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        schema
    }

    /// A field's schema, with what is said of it.
    pub(super) fn field(&mut self, field: &FieldDescriptor, place: Place) -> Value {
        self.holding(field, &Holds::of(field), place)
    }

    /// The same where it has to hold something else.
    pub(super) fn holding(&mut self, field: &FieldDescriptor, holds: &Holds, place: Place) -> Value {
        let (is_asked, is_many) = (place != Place::Answer, field.is_list() || field.is_map());
        let mut schema = match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let value = self.one(&entry.map_entry_value_field().kind(), holds, false, place);
                json!({ "type": "object", "additionalProperties": value })
            }
            kind => self.one(&kind, holds, holds.required && !is_many, place),
        };
        if field.is_list() {
            schema = json!({ "type": "array", "items": schema });
            if is_asked && holds.required {
                schema["minItems"] = 1.into();
            }
            if let Some(most) = holds.most_items.filter(|_| is_asked) {
                schema["maxItems"] = most.into();
            }
        }
        if place == Place::Body && !holds.required {
            schema = or_null(schema);
        }
        let said = Comments::of_field(field);
        if !said.is_empty() {
            schema["description"] = said.into();
        }
        schema
    }

    fn one(&mut self, kind: &Kind, holds: &Holds, required: bool, place: Place) -> Value {
        match kind {
            Kind::Message(message) if place != Place::Answer && holds.minimum.is_some() && below(message) => {
                self.object(message, &[], holds.minimum, place)
            }
            Kind::Message(message) if message.full_name() == "google.protobuf.Duration" => duration(holds, place),
            Kind::Message(message) => self.refer(message, place),
            Kind::Enum(kind) => enumeration(kind, required, place),
            Kind::String if place != Place::Answer => text(holds, required),
            Kind::String => json!({ "type": "string" }),
            kind => scalar(kind, holds, place),
        }
    }
}

/// Lets a schema take null, which says nothing.
fn or_null(mut schema: Value) -> Value {
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    match schema.get("type").cloned() {
        Some(Value::String(kind)) => schema["type"] = json!([kind, "null"]),
        Some(Value::Array(mut kinds)) => {
            kinds.push("null".into());
            schema["type"] = kinds.into();
        }
        _ if schema.get("$ref").is_some() => schema = json!({ "anyOf": [schema, { "type": "null" }] }),
        _ => {}
    }
    schema
}

/// The error as AIP-193 has it.
fn error() -> Value {
    json!({
        "type": "object",
        "description": "Why there is no answer, as AIP-193 has it.",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message", "status", "details"],
            "properties": {
                "code": { "type": "integer", "description": "The HTTP status." },
                "message": { "type": "string", "description": "For people." },
                "status": { "type": "string", "description": "The code of google.rpc.Code." },
                "details": { "type": "array", "items": {
                    "type": "object",
                    "description": "ErrorInfo with a stable reason, BadRequest with the fields at fault, RequestInfo, …",
                    "required": ["@type"],
                    "properties": { "@type": { "type": "string" } },
                } },
            },
            "additionalProperties": false,
        } },
        "additionalProperties": false,
    })
}

/// A text of a request.
fn text(holds: &Holds, required: bool) -> Value {
    let mut schema = json!({ "type": "string", "maxLength": holds.longest });
    let shortest = if required { holds.shortest.max(1) } else { 0 };
    if shortest > 0 {
        schema["minLength"] = shortest.into();
    }
    let optional = |pattern: &str| if required { format!("^({pattern})$") } else { format!("^({pattern})?$") };
    match (holds.pattern.as_str(), holds.format.as_str()) {
        ("", "") => schema["pattern"] = "^[^\\u0000]*$".into(),
        ("", "uuid") if !required => schema["pattern"] = optional(UUID).into(),
        ("", "email") if !required => schema["anyOf"] = json!([{ "format": "email" }, { "maxLength": 0 }]),
        ("", format) => schema["format"] = format.into(),
        (pattern, _) => schema["pattern"] = optional(pattern).into(),
    }
    schema
}

fn enumeration(kind: &EnumDescriptor, required: bool, place: Place) -> Value {
    let values: Vec<_> = kind.values().filter(|value| !required || value.number() != 0).collect();
    let names = values.iter().map(|value| Value::from(value.name()));
    let description = Comments::of_enum(kind);
    if place == Place::Answer {
        return json!({ "type": "string", "enum": names.collect::<Vec<_>>(), "description": description });
    }
    let all: Vec<_> = names.chain(values.iter().map(|value| value.number().into())).collect();
    json!({ "type": ["string", "integer"], "enum": all, "description": description })
}

/// The least and the most of a kind of whole numbers.
fn limits(kind: &Kind) -> Option<(i128, i128)> {
    Some(match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => (i32::MIN.into(), i32::MAX.into()),
        Kind::Uint32 | Kind::Fixed32 => (0, u32::MAX.into()),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => (i64::MIN.into(), i64::MAX.into()),
        Kind::Uint64 | Kind::Fixed64 => (0, u64::MAX.into()),
        _ => return None,
    })
}

fn is_number(kind: &Kind) -> bool {
    limits(kind).is_some()
}

const fn is_long(kind: &Kind) -> bool {
    matches!(kind, Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64)
}

fn scalar(kind: &Kind, holds: &Holds, place: Place) -> Value {
    if let Some((least, most)) = limits(kind) {
        return number(kind, holds, (least, most), place);
    }
    match (kind, place) {
        (Kind::Bool, _) => json!({ "type": "boolean" }),
        (Kind::Bytes, Place::Answer) => json!({ "type": "string", "contentEncoding": "base64" }),
        (Kind::Bytes, _) => json!({ "type": "string", "contentEncoding": "base64", "pattern": BASE64 }),
        (Kind::Float | Kind::Double, Place::Parameter) => json!({ "type": "number" }),
        (Kind::Float | Kind::Double, _) => json!({ "type": ["number", "string"] }),
        _ => json!({}),
    }
}

fn number(kind: &Kind, holds: &Holds, (mut least, mut most): (i128, i128), place: Place) -> Value {
    if place == Place::Answer {
        if is_long(kind) {
            let (sign, format) = if least < 0 { ("-?", "int64") } else { ("", "uint64") };
            return json!({ "type": "string", "format": format, "pattern": format!("^{sign}[0-9]{{1,20}}$") });
        }
        return json!({ "type": "integer", "minimum": edge(least), "maximum": edge(most) });
    }
    least = holds.minimum.map_or(least, |said| least.max(said.into()));
    most = holds.maximum.map_or(most, |said| most.min(said.into()));
    let (minimum, maximum) = (edge(least), edge(most));
    if place == Place::Parameter {
        return json!({ "type": "integer", "minimum": minimum, "maximum": maximum });
    }
    json!({
        "type": ["integer", "string"],
        "minimum": minimum,
        "maximum": maximum,
        "pattern": format!("^{}$", between(least, most)),
    })
}

fn edge(number: i128) -> Value {
    match i64::try_from(number) {
        Ok(number) => number.into(),
        Err(_) => u64::try_from(number).unwrap_or(u64::MAX).into(),
    }
}

/// Seconds, with an s behind them.
fn duration(holds: &Holds, place: Place) -> Value {
    if place == Place::Answer {
        return json!({ "type": "string", "pattern": "^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$" });
    }
    let least = holds.minimum.unwrap_or_default().max(0).unsigned_abs().into();
    let most = holds.maximum.unwrap_or(LONGEST).max(1).unsigned_abs().into();
    let sign = if holds.minimum.is_some_and(|least| least >= 0) { "" } else { "-?" };
    let (up_to, last) = (natural(least, most - 1), natural(most, most));
    let pattern = format!("^{sign}0*({up_to}(\\.[0-9]+)?|{last}(\\.0+)?)s$");
    json!({ "type": "string", "pattern": pattern })
}

/// Messages that JSON writes in a way of its own.
fn well_known(message: &MessageDescriptor, place: Place) -> Option<Value> {
    let name = message.full_name().strip_prefix("google.protobuf.")?;
    Some(match name {
        "Timestamp" => json!({ "type": "string", "format": "date-time" }),
        "Duration" => json!({ "type": "string" }),
        "FieldMask" => json!({ "type": "string" }),
        "Empty" => json!({ "type": "object", "additionalProperties": false }),
        "Struct" => json!({ "type": "object" }),
        "ListValue" => json!({ "type": "array" }),
        "Value" => json!({}),
        "Any" => json!({ "type": "object", "required": ["@type"], "properties": { "@type": { "type": "string" } } }),
        _ => {
            let field = message.get_field_by_name("value").filter(|_| name.ends_with("Value"))?;
            match field.kind() {
                Kind::String => json!({ "type": "string" }),
                kind => scalar(&kind, &Holds::of(&field), place),
            }
        }
    })
}

/// Whether a field can be a parameter: whatever can be written as one text, or several of it.
pub(super) fn is_text(field: &FieldDescriptor) -> bool {
    match field.kind() {
        _ if field.is_map() => false,
        Kind::Message(message) => {
            well_known(&message, Place::Answer).is_some_and(|schema| !["object", "array"].map(Value::from).contains(&schema["type"]))
        }
        _ => true,
    }
}

/// The message in a field that has fields of its own, and may have parameters below it.
pub(super) fn inner(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if !field.is_list() && !field.is_map() => Some(message).filter(below),
        _ => None,
    }
}

fn below(message: &MessageDescriptor) -> bool {
    well_known(message, Place::Answer).is_none()
}

/// Whether the contract says that a field is not to be used any more.
pub(super) fn is_deprecated(field: &FieldDescriptor) -> bool {
    field.options().get_field_by_name("deprecated").as_deref() == Some(&Field::Bool(true))
}
