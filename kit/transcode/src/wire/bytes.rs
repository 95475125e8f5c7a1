//! What comes next in the bytes of a message; none where it is not there, or written otherwise than it should be.

use prost_reflect::prost::encoding::{WireType, decode_varint};

pub(super) fn varint(wire: WireType, bytes: &mut &[u8]) -> Option<u64> {
    (wire == WireType::Varint).then(|| decode_varint(bytes).ok())?
}

/// The low half of a varint: what is above it is cut off, as everywhere.
#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
pub(super) const fn low(value: u64) -> u32 {
    value as u32
}

pub(super) fn four(wire: WireType, bytes: &mut &[u8]) -> Option<[u8; 4]> {
    let (value, rest) = bytes.split_first_chunk().filter(|_| wire == WireType::ThirtyTwoBit)?;
    *bytes = rest;
    Some(*value)
}

pub(super) fn eight(wire: WireType, bytes: &mut &[u8]) -> Option<[u8; 8]> {
    let (value, rest) = bytes.split_first_chunk().filter(|_| wire == WireType::SixtyFourBit)?;
    *bytes = rest;
    Some(*value)
}

pub(super) fn taken<'a>(wire: WireType, bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = (wire == WireType::LengthDelimited).then(|| decode_varint(bytes).ok())??;
    let (value, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(value)
}

/// Passes over a field that the contract does not know.
pub(super) fn skip(wire: WireType, bytes: &mut &[u8]) -> Option<()> {
    match wire {
        WireType::Varint => drop(varint(wire, bytes)?),
        WireType::ThirtyTwoBit => drop(four(wire, bytes)?),
        WireType::SixtyFourBit => drop(eight(wire, bytes)?),
        WireType::LengthDelimited => drop(taken(wire, bytes)?),
        WireType::StartGroup | WireType::EndGroup => return None,
    }
    Some(())
}
