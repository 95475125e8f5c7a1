//! Messages as JSON schemas, by protobuf's JSON mapping: a number may be written as text, and nothing as null.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value as Field};
use serde_json::{Map, Value, json};

use super::comments::Comments;

/// The most characters of a text that does not say `max_length`, as `options.proto` has it.
const USUAL_LENGTH: u32 = 512;

/// The schemas of messages that are named somewhere.
#[derive(Default)]
pub(super) struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    /// All of them, and what an error is.
    pub(super) fn all(self) -> Map<String, Value> {
        let error = json!({
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
            } },
        });
        self.0.into_iter().chain([("Error".to_owned(), error)]).collect()
    }

    /// A reference to a message's schema, which is made if it is not there.
    pub(super) fn refer(&mut self, message: &MessageDescriptor) -> Value {
        if let Some(known) = well_known(message) {
            return known;
        }
        let name = message.full_name().to_owned();
        if !self.0.contains_key(&name) {
            // It may hold itself.
            self.0.insert(name.clone(), Value::Null);
            let schema = self.object(message, &[]);
            self.0.insert(name.clone(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// A message without some of its fields.
    pub(super) fn object(&mut self, message: &MessageDescriptor, without: &[String]) -> Value {
        let fields = message.fields().filter(|field| !without.iter().any(|name| name == field.name()));
        let properties: Map<_, _> = fields.map(|field| (field.json_name().to_owned(), self.field(&field))).collect();
        let description = Comments::of_message(message);
        json!({ "type": "object", "description": description, "properties": properties, "additionalProperties": false })
    }

    /// A field's schema, with what is said of it.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Value {
        let one = |kind: &Kind, schemas: &mut Self| schemas.kind(kind, field);
        let mut schema = match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                json!({ "type": "object", "additionalProperties": one(&entry.map_entry_value_field().kind(), self) })
            }
            kind if field.is_list() => json!({ "type": "array", "items": one(&kind, self) }),
            kind => one(&kind, self),
        };
        let said = Comments::of_field(field);
        if !said.is_empty() {
            schema["description"] = said.into();
        }
        schema
    }

    fn kind(&mut self, kind: &Kind, field: &FieldDescriptor) -> Value {
        match kind {
            Kind::Message(message) => self.refer(message),
            Kind::Enum(kind) => enumeration(kind),
            Kind::String => json!({ "type": "string", "maxLength": limit(field) }),
            kind => scalar(kind),
        }
    }
}

fn enumeration(kind: &EnumDescriptor) -> Value {
    let names: Vec<_> = kind.values().map(|value| value.name().to_owned()).collect();
    json!({ "type": "string", "enum": names, "description": Comments::of_enum(kind) })
}

fn scalar(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Kind::Float | Kind::Double => json!({ "type": "number" }),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            json!({ "type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX })
        }
        Kind::Uint32 | Kind::Fixed32 => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        Kind::Uint64 | Kind::Fixed64 => json!({ "type": "string", "format": "uint64", "pattern": "^[0-9]{1,19}$" }),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            json!({ "type": "string", "format": "int64", "pattern": "^-?[0-9]{1,18}$" })
        }
        Kind::String | Kind::Enum(_) | Kind::Message(_) => json!({}),
    }
}

/// Messages that JSON writes in a way of its own.
fn well_known(message: &MessageDescriptor) -> Option<Value> {
    let name = message.full_name().strip_prefix("google.protobuf.")?;
    Some(match name {
        "Timestamp" => json!({ "type": "string", "format": "date-time" }),
        "Duration" => json!({ "type": "string", "pattern": "^-?[0-9]{1,11}(\\.[0-9]{1,9})?s$" }),
        "FieldMask" => json!({ "type": "string" }),
        "Empty" => json!({ "type": "object", "additionalProperties": false }),
        "Struct" => json!({ "type": "object" }),
        "ListValue" => json!({ "type": "array" }),
        "Value" => json!({}),
        "Any" => json!({ "type": "object", "required": ["@type"], "properties": { "@type": { "type": "string" } } }),
        _ => scalar(&message.get_field_by_name("value").filter(|_| name.ends_with("Value"))?.kind()),
    })
}

/// The most characters of a text, by the contract's option.
fn limit(field: &FieldDescriptor) -> u32 {
    let pool = field.parent_message().parent_pool();
    let option = pool.get_extension_by_name("tradewind.options.v1.max_length");
    let said = option.filter(|option| field.options().has_extension(option));
    said.and_then(|option| field.options().get_extension(&option).as_u32()).unwrap_or(USUAL_LENGTH)
}

/// Whether a field can be a parameter: whatever can be written as one text, or several of it.
pub(super) fn is_text(field: &FieldDescriptor) -> bool {
    match field.kind() {
        _ if field.is_map() => false,
        Kind::Message(message) => well_known(&message).is_some_and(|schema| schema["type"] == "string"),
        _ => true,
    }
}

/// The fields of a message that are messages, and may have parameters below them.
pub(super) fn below(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if !field.is_list() && !field.is_map() => {
            (well_known(&message).is_none()).then_some(message)
        }
        _ => None,
    }
}

/// What a field holds where it says nothing.
pub(super) fn is_deprecated(field: &FieldDescriptor) -> bool {
    field.options().get_field_by_name("deprecated").as_deref() == Some(&Field::Bool(true))
}
