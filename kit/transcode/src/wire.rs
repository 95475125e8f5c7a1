//! A message as JSON straight from its bytes, by tables that are made once: what most answers are, and several times quicker than by
//! way of a message in memory.
//!
//! It takes messages as encoders write them: fields in order, each once. Whatever else is allowed of bytes goes the long way, as do
//! the few kinds that have no table: so there is one place that knows each of their rules, and it is not this one.

mod bytes;
mod field;

use std::collections::HashMap;
use std::io::Write as _;
use std::ops::RangeInclusive;

use base64::display::Base64Display;
use base64::prelude::BASE64_STANDARD;
use prost_reflect::MessageDescriptor;
use prost_reflect::prost::Message as _;
use prost_reflect::prost::encoding::{WireType, decode_key};
use prost_reflect::prost_types::{Duration, Timestamp};
use serde::Serialize;

use self::bytes::{eight, four, low, skip, taken, varint};
use self::field::{Field, Kind, is_special};
use crate::values::TIMES;

/// The most messages in each other.
const DEEPEST: usize = 64;
/// Seconds of a duration.
const DURATIONS: RangeInclusive<i64> = -315_576_000_000..=315_576_000_000;
const NANOS: RangeInclusive<i32> = 0..=999_999_999;

/// What a message and all messages in it are made of; the message itself is the first.
pub(crate) struct Tables(Vec<Vec<Field>>);

impl Tables {
    /// Of a message.
    pub(crate) fn of(message: &MessageDescriptor) -> Self {
        if is_special(message) {
            return Self(Vec::new());
        }
        let mut places = HashMap::from([(message.full_name().to_owned(), 0)]);
        let mut messages = vec![message.clone()];
        let mut tables = Vec::new();
        while let Some(message) = messages.get(tables.len()).cloned() {
            let mut place = |inside: &MessageDescriptor| {
                *places.entry(inside.full_name().to_owned()).or_insert_with(|| {
                    messages.push(inside.clone());
                    messages.len() - 1
                })
            };
            // By number.
            tables.push(message.fields().map(|field| Field::of(&field, &mut place)).collect());
        }
        Self(tables)
    }

    /// The JSON of a message; none where it goes the long way, be it that it is no message at all.
    pub(crate) fn json(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut json = Vec::with_capacity(2 * message.len() + 64);
        self.message(0, message, &mut json, DEEPEST)?;
        Some(json)
    }

    fn message(&self, place: usize, mut bytes: &[u8], json: &mut Vec<u8>, deepest: usize) -> Option<()> {
        let (fields, deepest) = (self.0.get(place)?, deepest.checked_sub(1)?);
        let (mut next, mut choices, mut list) = (0, 0, None);
        json.push(b'{');
        let begin = json.len();
        while !bytes.is_empty() {
            let (number, wire) = decode_key(&mut bytes).ok()?;
            if list == Some(number) {
                json.push(b',');
                self.value(&fields.get(next - 1)?.kind, wire, &mut bytes, json, deepest)?;
                continue;
            }
            if list.take().is_some() {
                json.push(b']');
            }
            let Ok(at) = fields.binary_search_by_key(&number, |field| field.number) else {
                skip(wire, &mut bytes)?;
                continue;
            };
            let field = &fields[at];
            if at < next || choices & field.choice != 0 {
                return None;
            }
            (next, choices) = (at + 1, choices | field.choice);
            let before = json.len();
            if before > begin {
                json.push(b',');
            }
            json.extend_from_slice(&field.name);
            if field.is_list {
                json.push(b'[');
                if let Some(element) = field.kind.packed() {
                    if self.elements(&field.kind, element, wire, &mut bytes, json)? == 0 {
                        json.truncate(before);
                    }
                } else {
                    list = Some(number);
                    self.value(&field.kind, wire, &mut bytes, json, deepest)?;
                }
            } else if self.value(&field.kind, wire, &mut bytes, json, deepest)? && !field.has_presence {
                json.truncate(before);
            }
        }
        if list.is_some() {
            json.push(b']');
        }
        json.push(b'}');
        Some(())
    }

    /// Writes elements that are in one field, and the end of their list, and tells how many they are.
    fn elements(
        &self,
        kind: &Kind,
        element: WireType,
        wire: WireType,
        bytes: &mut &[u8],
        json: &mut Vec<u8>,
    ) -> Option<usize> {
        let mut packed = taken(wire, bytes)?;
        let mut count = 0;
        while !packed.is_empty() {
            if count > 0 {
                json.push(b',');
            }
            self.value(kind, element, &mut packed, json, 0)?;
            count += 1;
        }
        json.push(b']');
        Some(count)
    }

    /// Writes the value that comes next, and tells whether it is what a field holds of which nothing is said.
    fn value(
        &self,
        kind: &Kind,
        wire: WireType,
        bytes: &mut &[u8],
        json: &mut Vec<u8>,
        deepest: usize,
    ) -> Option<bool> {
        match kind {
            Kind::Bool => small(json, varint(wire, bytes)? != 0),
            Kind::Int32 => small(json, low(varint(wire, bytes)?).cast_signed()),
            Kind::Uint32 => small(json, low(varint(wire, bytes)?)),
            Kind::Sint32 => {
                let value = low(varint(wire, bytes)?);
                small(json, (value >> 1).cast_signed() ^ -(value & 1).cast_signed())
            }
            Kind::Int64 => large(json, varint(wire, bytes)?.cast_signed()),
            Kind::Uint64 => large(json, varint(wire, bytes)?),
            Kind::Sint64 => {
                let value = varint(wire, bytes)?;
                large(json, (value >> 1).cast_signed() ^ -(value & 1).cast_signed())
            }
            Kind::Fixed32 => small(json, u32::from_le_bytes(four(wire, bytes)?)),
            Kind::Sfixed32 => small(json, i32::from_le_bytes(four(wire, bytes)?)),
            Kind::Fixed64 => large(json, u64::from_le_bytes(eight(wire, bytes)?)),
            Kind::Sfixed64 => large(json, i64::from_le_bytes(eight(wire, bytes)?)),
            Kind::Float => {
                let value = f32::from_le_bytes(four(wire, bytes)?);
                named(json, value.into()).unwrap_or_else(|| small(json, value))
            }
            Kind::Double => {
                let value = f64::from_le_bytes(eight(wire, bytes)?);
                named(json, value).unwrap_or_else(|| small(json, value))
            }
            Kind::String => small(json, std::str::from_utf8(taken(wire, bytes)?).ok()?),
            Kind::Bytes => {
                let value = taken(wire, bytes)?;
                write!(json, "\"{}\"", Base64Display::new(value, &BASE64_STANDARD)).ok()?;
                Some(value.is_empty())
            }
            Kind::Enum(names) => {
                let number = low(varint(wire, bytes)?).cast_signed();
                match names.get(&number) {
                    Some(name) => small(json, name.as_str())?,
                    None => small(json, number)?,
                };
                Some(number == 0)
            }
            Kind::Timestamp => {
                let time = Timestamp::decode(taken(wire, bytes)?).ok()?;
                let is_one = TIMES.contains(&time.seconds) && NANOS.contains(&time.nanos);
                is_one.then(|| write!(json, "\"{time}\"").ok())??;
                Some(false)
            }
            Kind::Duration => {
                let time = Duration::decode(taken(wire, bytes)?).ok()?;
                let is_one = DURATIONS.contains(&time.seconds) && time.seconds >= 0 && NANOS.contains(&time.nanos);
                is_one.then(|| write!(json, "\"{time}\"").ok())??;
                Some(false)
            }
            Kind::Message(place) => self.message(*place, taken(wire, bytes)?, json, deepest).map(|()| false),
            Kind::Other => None,
        }
    }
}

/// A value that JSON has.
fn small<T: Serialize + Default + PartialEq>(json: &mut Vec<u8>, value: T) -> Option<bool> {
    serde_json::to_writer(json, &value).ok()?;
    Some(value == T::default())
}

/// A number that is too large for JSON's.
fn large<T: Serialize + Default + PartialEq>(json: &mut Vec<u8>, value: T) -> Option<bool> {
    json.push(b'"');
    let is_default = small(json, value);
    json.push(b'"');
    is_default
}

/// A number that JSON does not have.
fn named(json: &mut Vec<u8>, value: f64) -> Option<Option<bool>> {
    let name = match value {
        f64::INFINITY => "\"Infinity\"",
        f64::NEG_INFINITY => "\"-Infinity\"",
        _ if value.is_nan() => "\"NaN\"",
        _ => return None,
    };
    json.extend_from_slice(name.as_bytes());
    Some(Some(false))
}

#[cfg(test)]
mod tests {
    use contracts::tradewind::catalog::v1::{GetProductResponse, Product};
    use prost::Message as _;
    use prost_reflect::DescriptorPool;

    use super::*;

    #[test]
    fn what_services_answer_goes_the_short_way_and_what_is_out_of_order_the_long_one() {
        let pool = DescriptorPool::decode(contracts::DESCRIPTOR).expect("descriptors");
        let kind = pool.get_message_by_name("tradewind.catalog.v1.GetProductResponse").expect("a message");
        let tables = Tables::of(&kind);
        let product = |name: &str| GetProductResponse {
            product: Some(Product {
                name: name.to_owned(),
                create_time: Some(Timestamp::default()),
                ..Product::default()
            }),
        };
        let [tea, mug] = ["tea", "mug"].map(|name| product(name).encode_to_vec());
        let json = br#"{"product":{"name":"tea","createTime":"1970-01-01T00:00:00Z"}}"#;
        assert_eq!(tables.json(&tea).as_deref(), Some(&json[..]));
        assert_eq!(tables.json(&[tea, mug].concat()), None);
    }
}
