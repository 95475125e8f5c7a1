//! One value as text, by the JSON mapping of protobuf: a path or a query has nothing else.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, Value};

use crate::refusal::Problem;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
pub(crate) const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Whether a field of that kind can be written as one text.
pub(crate) fn is_text(kind: &Kind) -> bool {
    match kind {
        Kind::Message(message) => wrapped(message).is_some() || special(message).is_some(),
        _ => true,
    }
}

/// What a text means for a kind.
pub(crate) fn parse(kind: &Kind, text: &str) -> Result<Value, Problem> {
    match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => integer(text).map(Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => integer(text).map(Value::I64),
        Kind::Uint32 | Kind::Fixed32 => integer(text).map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => integer(text).map(Value::U64),
        Kind::Float => float(text, f32::is_finite).map(Value::F32),
        Kind::Double => float(text, f64::is_finite).map(Value::F64),
        Kind::Bool => text.parse().map(Value::Bool).map_err(|_| Problem::BadBool),
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::Bytes => {
            let engine = if text.contains(['-', '_']) { URL } else { PLAIN };
            engine.decode(text).map(|bytes| Value::Bytes(bytes.into())).map_err(|_| Problem::BadBytes)
        }
        Kind::Enum(kind) => {
            let number = kind.get_value_by_name(text).map(|value| value.number());
            let number = number.or_else(|| text.parse().ok()).ok_or(Problem::UnknownEnumValue)?;
            Ok(Value::EnumNumber(number))
        }
        Kind::Message(message) => parse_message(message, text).map(Value::Message),
    }
}

fn parse_message(kind: &MessageDescriptor, text: &str) -> Result<DynamicMessage, Problem> {
    if let Some(field) = wrapped(kind) {
        let mut message = DynamicMessage::new(kind.clone());
        message.set_field(&field, parse(&field.kind(), text)?);
        return Ok(message);
    }
    let bad = special(kind).ok_or(Problem::MessageField)?;
    let json = serde_json::Value::String(text.to_owned());
    let message = DynamicMessage::deserialize(kind.clone(), json).map_err(|_| bad.clone())?;
    if bad == Problem::BadTimestamp && !in_time(&message) {
        return Err(bad);
    }
    Ok(message)
}

fn in_time(message: &DynamicMessage) -> bool {
    let seconds = message.get_field_by_name("seconds");
    seconds.and_then(|seconds| seconds.as_i64()).is_some_and(|seconds| TIMES.contains(&seconds))
}

/// The field inside of google.protobuf.StringValue and its like.
fn wrapped(message: &MessageDescriptor) -> Option<prost_reflect::FieldDescriptor> {
    const KINDS: [&str; 9] = ["Bool", "Int32", "Int64", "UInt32", "UInt64", "Float", "Double", "String", "Bytes"];
    let name = message.full_name().strip_prefix("google.protobuf.")?.strip_suffix("Value")?;
    KINDS.contains(&name).then(|| message.get_field_by_name("value"))?
}

/// What is said of a text that is none of that message; none where the message has no text.
fn special(message: &MessageDescriptor) -> Option<Problem> {
    match message.full_name() {
        "google.protobuf.Timestamp" => Some(Problem::BadTimestamp),
        "google.protobuf.Duration" => Some(Problem::BadDuration),
        "google.protobuf.FieldMask" => Some(Problem::BadMask),
        _ => None,
    }
}

fn integer<T: std::str::FromStr>(text: &str) -> Result<T, Problem> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::BadNumber);
    }
    text.parse().map_err(|_| Problem::OutOfRange)
}

fn float<T: std::str::FromStr + Copy>(text: &str, is_finite: fn(T) -> bool) -> Result<T, Problem> {
    let named = matches!(text, "NaN" | "Infinity" | "-Infinity");
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if !named && (!digits || text.starts_with('+')) {
        return Err(Problem::BadNumber);
    }
    let number = text.parse().map_err(|_| Problem::BadNumber)?;
    if named || is_finite(number) { Ok(number) } else { Err(Problem::OutOfRange) }
}
