//! Values that hold no others, as JSON schemas.

use prost_reflect::{EnumDescriptor, EnumValueDescriptor, Kind};
use serde_json::{Value, json};

use super::comments::Comments;
use super::holds::Holds;
use super::range::{between, natural};

const UUID: &str = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
const BASE64: &str = "^[A-Za-z0-9+/_-]*={0,2}$";
/// The longest that a duration may be, in seconds.
const LONGEST: i64 = 315_576_000_000;

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the body of a request.
    Body,
    /// In a path or a query, as text.
    Parameter,
    /// In an answer.
    Answer,
    /// In an event, as whoever is outside sees it: nothing of it is sensitive, and there may be more than is known.
    Event,
}

impl Place {
    /// Whether it is in a request.
    pub(super) const fn is_asked(self) -> bool {
        matches!(self, Self::Body | Self::Parameter)
    }
}

/// A text of a request.
pub(super) fn text(holds: &Holds, required: bool) -> Value {
    let mut schema = json!({ "type": "string", "maxLength": holds.longest });
    let shortest = if required { holds.shortest.max(1) } else { 0 };
    if shortest > 0 {
        schema["minLength"] = shortest.into();
    }
    let optional = |pattern: &str| if required { format!("^({pattern})$") } else { format!("^({pattern})?$") };
    match (holds.pattern.as_str(), holds.format.as_str()) {
        ("", "") => schema["pattern"] = "^[^\\u0000]*$".into(),
        ("", "uuid") if !required => schema["pattern"] = optional(UUID).into(),
        ("", format @ ("date" | "email")) if !required => {
            schema["anyOf"] = json!([{ "format": format }, { "maxLength": 0 }]);
        }
        ("", format) => schema["format"] = format.into(),
        (pattern, _) => schema["pattern"] = optional(pattern).into(),
    }
    schema
}

/// A value of an enum: by its name, and in a request by its number too. An event may have one that has come to be since, which is
/// told by its number.
pub(super) fn enumeration(kind: &EnumDescriptor, required: bool, place: Place) -> Value {
    let values: Vec<_> = kind.values().filter(|value| !required || value.number() != 0).collect();
    let names = values.iter().map(|value| Value::from(value.name()));
    let description = Comments::of_enum(kind) + &kind.values().map(|value| item(&value)).collect::<String>();
    if place == Place::Event {
        return json!({ "type": ["string", "integer"], "examples": names.collect::<Vec<_>>(), "description": description });
    }
    if !place.is_asked() {
        return json!({ "type": "string", "enum": names.collect::<Vec<_>>(), "description": description });
    }
    let all: Vec<_> = names.chain(values.iter().map(|value| value.number().into())).collect();
    json!({ "type": ["string", "integer"], "enum": all, "description": description })
}

/// What is said of a value, as an item of a list.
fn item(value: &EnumValueDescriptor) -> String {
    let said = Comments::of_value(value);
    if said.is_empty() { String::new() } else { format!("\n- `{}`: {said}", value.name()) }
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

/// Whether it is a kind of whole numbers.
pub(super) fn is_number(kind: &Kind) -> bool {
    limits(kind).is_some()
}

const fn is_long(kind: &Kind) -> bool {
    matches!(kind, Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64)
}

/// Anything else that is no message.
pub(super) fn scalar(kind: &Kind, holds: &Holds, place: Place) -> Value {
    if let Some((least, most)) = limits(kind) {
        return number(kind, holds, (least, most), place);
    }
    match (kind, place) {
        (Kind::Bool, _) => json!({ "type": "boolean" }),
        (Kind::Bytes, place) if !place.is_asked() => json!({ "type": "string", "contentEncoding": "base64" }),
        (Kind::Bytes, _) => json!({ "type": "string", "contentEncoding": "base64", "pattern": BASE64 }),
        (Kind::Float | Kind::Double, Place::Parameter) => json!({ "type": "number" }),
        (Kind::Float | Kind::Double, _) => json!({ "type": ["number", "string"] }),
        _ => json!({}),
    }
}

fn number(kind: &Kind, holds: &Holds, (mut least, mut most): (i128, i128), place: Place) -> Value {
    if !place.is_asked() {
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
pub(super) fn duration(holds: &Holds, place: Place) -> Value {
    if !place.is_asked() {
        return json!({ "type": "string", "pattern": "^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$" });
    }
    let least = holds.minimum.unwrap_or_default().max(0).unsigned_abs().into();
    let most = holds.maximum.unwrap_or(LONGEST).max(1).unsigned_abs().into();
    let sign = if holds.minimum.is_some_and(|least| least >= 0) { "" } else { "-?" };
    let (up_to, last) = (natural(least, most - 1), natural(most, most));
    let pattern = format!("^{sign}0*({up_to}(\\.[0-9]+)?|{last}(\\.0+)?)s$");
    json!({ "type": "string", "pattern": pattern })
}
