//! The fields of a message, as far as its bytes and its JSON need them.

use std::collections::BTreeMap;

use prost_reflect::prost::encoding::WireType;
use prost_reflect::{FieldDescriptor, Kind as Declared, MessageDescriptor, Syntax};

/// By number.
pub(super) struct Field {
    pub(super) number: u32,
    /// Its name in JSON, with quotation marks and colon.
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) is_list: bool,
    pub(super) has_presence: bool,
    /// The choice that it belongs to, as a bit.
    pub(super) choice: u64,
}

pub(super) enum Kind {
    Bool,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Float,
    Double,
    String,
    Bytes,
    Enum(BTreeMap<i32, String>),
    Timestamp,
    Duration,
    /// By its place among the tables.
    Message(usize),
    /// Whatever goes the long way.
    Other,
}

impl Field {
    pub(super) fn of(field: &FieldDescriptor, place: &mut impl FnMut(&MessageDescriptor) -> usize) -> Self {
        let choice = field.parent_message().oneofs().position(|oneof| Some(oneof) == field.containing_oneof());
        let choice = choice.map(|at| u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at)));
        let is_plain = field.parent_file().syntax() == Syntax::Proto3 && !field.is_map() && choice != Some(None);
        let mut name = serde_json::to_vec(field.json_name()).unwrap_or_default();
        name.push(b':');
        Self {
            number: field.number(),
            name,
            kind: if is_plain { Kind::of(&field.kind(), place) } else { Kind::Other },
            is_list: field.is_list(),
            has_presence: field.supports_presence(),
            choice: choice.flatten().unwrap_or_default(),
        }
    }
}

impl Kind {
    fn of(kind: &Declared, place: &mut impl FnMut(&MessageDescriptor) -> usize) -> Self {
        match kind {
            Declared::Bool => Self::Bool,
            Declared::Int32 => Self::Int32,
            Declared::Int64 => Self::Int64,
            Declared::Uint32 => Self::Uint32,
            Declared::Uint64 => Self::Uint64,
            Declared::Sint32 => Self::Sint32,
            Declared::Sint64 => Self::Sint64,
            Declared::Fixed32 => Self::Fixed32,
            Declared::Fixed64 => Self::Fixed64,
            Declared::Sfixed32 => Self::Sfixed32,
            Declared::Sfixed64 => Self::Sfixed64,
            Declared::Float => Self::Float,
            Declared::Double => Self::Double,
            Declared::String => Self::String,
            Declared::Bytes => Self::Bytes,
            Declared::Enum(kind) if kind.parent_file().package_name() != "google.protobuf" => {
                let named = |number| Some((number, kind.get_value(number)?.name().to_owned()));
                Self::Enum(kind.values().filter_map(|value| named(value.number())).collect())
            }
            Declared::Message(kind) => match kind.full_name() {
                "google.protobuf.Timestamp" => Self::Timestamp,
                "google.protobuf.Duration" => Self::Duration,
                _ if is_special(kind) => Self::Other,
                _ => Self::Message(place(kind)),
            },
            Declared::Enum(_) => Self::Other,
        }
    }

    /// How an element is written where all are in one field; none where each has its own.
    pub(super) const fn packed(&self) -> Option<WireType> {
        match self {
            Self::Bool | Self::Int32 | Self::Int64 | Self::Uint32 | Self::Uint64 | Self::Sint32 | Self::Sint64 => {
                Some(WireType::Varint)
            }
            Self::Enum(_) => Some(WireType::Varint),
            Self::Fixed32 | Self::Sfixed32 | Self::Float => Some(WireType::ThirtyTwoBit),
            Self::Fixed64 | Self::Sfixed64 | Self::Double => Some(WireType::SixtyFourBit),
            Self::String | Self::Bytes | Self::Timestamp | Self::Duration | Self::Message(_) | Self::Other => None,
        }
    }
}

/// Whether a message may have a JSON of its own.
pub(super) fn is_special(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}
