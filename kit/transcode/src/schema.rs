//! Messages as JSON schemas, by protobuf's JSON mapping. What is answered has one form; what is asked may have any that is read: a
//! number as text, an enum's value by its number, null for what is not there.

mod comments;
mod holds;
mod range;
mod scalar;

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value as Field};
use serde_json::{Map, Value, json};

pub use self::comments::Comments;
pub use self::holds::Holds;
use self::holds::is_sensitive;
pub use self::scalar::Place;
use self::scalar::{duration, enumeration, is_number, scalar, text};

/// The schemas of messages that a document names, at `#/components/schemas`.
#[derive(Debug, Default)]
pub struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    /// All of them, by name.
    #[must_use]
    pub fn all(self) -> Map<String, Value> {
        self.0.into_iter().collect()
    }

    /// A reference to a message's schema, which is made if it is not there.
    pub fn refer(&mut self, message: &MessageDescriptor, place: Place) -> Value {
        if let Some(known) = well_known(message, place) {
            return known;
        }
        let name = match place {
            Place::Answer | Place::Event => message.full_name().to_owned(),
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
    pub fn object(
        &mut self,
        message: &MessageDescriptor,
        without: &[String],
        least: Option<i64>,
        place: Place,
    ) -> Value {
        let is_there = |field: &FieldDescriptor| {
            !without.iter().any(|name| name == field.name()) && (place != Place::Event || !is_sensitive(field))
        };
        let fields: Vec<_> = message.fields().filter(is_there).collect();
        let mut required = Vec::new();
        let mut properties = Map::new();
        for field in &fields {
            let mut holds = Holds::of(field);
            if least.is_some() && is_number(&field.kind()) {
                holds.minimum = least;
                holds.required |= least.is_some_and(|least| least > 0);
            }
            if holds.required && place.is_asked() {
                required.push(field.json_name().to_owned());
            }
            properties.insert(field.json_name().to_owned(), self.holding(field, &holds, place));
        }
        let description = Comments::of_message(message);
        let mut schema = json!({
            "type": "object",
            "description": description,
            "properties": properties,
        });
        if place != Place::Event {
            schema["additionalProperties"] = false.into();
        }
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        schema
    }

    /// A field's schema, with what is said of it.
    pub fn field(&mut self, field: &FieldDescriptor, place: Place) -> Value {
        self.holding(field, &Holds::of(field), place)
    }

    /// The same where it has to hold something else.
    pub fn holding(&mut self, field: &FieldDescriptor, holds: &Holds, place: Place) -> Value {
        let (is_asked, is_many) = (place.is_asked(), field.is_list() || field.is_map());
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
        if place == Place::Event && schema.get("$ref").is_some() {
            // What stands beside a reference is not heard there.
            schema = json!({ "allOf": [schema] });
        }
        let said = Comments::of_field(field);
        if !said.is_empty() {
            schema["description"] = said.into();
        }
        if is_deprecated(&field.options()) && place != Place::Parameter {
            schema["deprecated"] = true.into();
        }
        schema
    }

    fn one(&mut self, kind: &Kind, holds: &Holds, required: bool, place: Place) -> Value {
        match kind {
            Kind::Message(message) if place.is_asked() && holds.minimum.is_some() && below(message) => {
                self.object(message, &[], holds.minimum, place)
            }
            Kind::Message(message) if message.full_name() == "google.protobuf.Duration" => duration(holds, place),
            Kind::Message(message) => self.refer(message, place),
            Kind::Enum(kind) => enumeration(kind, required, place),
            Kind::String if place.is_asked() => text(holds, required),
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
#[must_use]
pub fn is_text(field: &FieldDescriptor) -> bool {
    match field.kind() {
        _ if field.is_map() => false,
        Kind::Message(message) => well_known(&message, Place::Answer)
            .is_some_and(|schema| !["object", "array"].map(Value::from).contains(&schema["type"])),
        _ => true,
    }
}

/// The message in a field that has fields of its own, and may have parameters below it.
#[must_use]
pub fn inner(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if !field.is_list() && !field.is_map() => Some(message).filter(below),
        _ => None,
    }
}

fn below(message: &MessageDescriptor) -> bool {
    well_known(message, Place::Answer).is_none()
}

/// Whether the options of a declaration say that it is not to be used any more.
#[must_use]
pub fn is_deprecated(options: &DynamicMessage) -> bool {
    options.get_field_by_name("deprecated").as_deref() == Some(&Field::Bool(true))
}
