//! Whether bytes are a request as the contract says it looks: well-formed, every text UTF-8 without U+0000 and no
//! longer than the contract allows. Looks at the bytes where they lie and copies none; what a request means is its handler's to judge.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use contracts::tables::{Content, Field, Form};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field};
use tradewind_domain::request::Violations;

use crate::sizes::HEAD;

/// As deep as messages are decoded.
const DEPTH: u32 = 100;
/// Whoever has so many fields at fault is told of these.
const ENOUGH: usize = 100;

/// What is wrong with bytes that are not the message they should be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl From<prost::DecodeError> for Malformed {
    fn from(error: prost::DecodeError) -> Self {
        Self(error.to_string())
    }
}

/// Finds the texts of a message of this form that may not be as they are.
///
/// # Errors
/// Bytes that are no such message.
pub fn check(form: &Form, bytes: &[u8]) -> Result<Violations, Malformed> {
    let mut look = Look { found: Violations::default(), count: 0 };
    look.at_message(form, bytes, None, DEPTH)?;
    Ok(look.found)
}

/// Tells whether a message of this form has a text of that name which says something.
pub fn has_text(form: &Form, name: &str, bytes: &[u8]) -> bool {
    let sought = form.fields.iter().find(|field| field.name == name);
    sought.is_some_and(|sought| !text(sought.tag, bytes).is_empty())
}

/// The text in the field of that number; empty where there is none. Of several the last counts.
pub fn text(tag: u32, mut bytes: &[u8]) -> &str {
    let mut last = "";
    while let Ok((found, wire)) = decode_key(&mut bytes) {
        if found == tag && wire == WireType::LengthDelimited {
            let Ok(value) = delimited(&mut bytes) else { break };
            last = std::str::from_utf8(value).unwrap_or_default();
        } else if skip_field(wire, found, &mut bytes, DecodeContext::default()).is_err() {
            break;
        }
    }
    last
}

/// The same message, framed, with this text in the field of that number; none where it is not one plain message.
#[must_use]
pub fn with_text(framed: &[u8], tag: u32, text: &str) -> Option<Bytes> {
    let mut all = BytesMut::with_capacity(framed.len() + text.len() + 2 * HEAD);
    all.extend_from_slice(framed);
    // The last value of a field counts: what is added replaces one that is there.
    encode_key(tag, WireType::LengthDelimited, &mut all);
    encode_varint(text.len() as u64, &mut all);
    all.put_slice(text.as_bytes());
    let length = u32::try_from(all.len().checked_sub(HEAD)?).ok()?;
    all.get_mut(1..HEAD)?.copy_from_slice(&length.to_be_bytes());
    Some(all.freeze())
}

/// Where in a request a field stands, as `lines[2].product_id`.
struct Place<'a> {
    outer: Option<&'a Self>,
    field: &'a Field,
    index: usize,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            write!(f, "{outer}.")?;
        }
        f.write_str(self.field.name)?;
        if self.field.repeated { write!(f, "[{}]", self.index) } else { Ok(()) }
    }
}

struct Look {
    found: Violations,
    count: usize,
}

impl Look {
    fn at_message(
        &mut self,
        form: &Form,
        mut bytes: &[u8],
        outer: Option<&Place<'_>>,
        depth: u32,
    ) -> Result<(), Malformed> {
        let Some(depth) = depth.checked_sub(1) else { return Err(Malformed("nested too deeply".to_owned())) };
        let fields = form.fields;
        // How many values of each repeated field there were; most messages have none.
        let mut seen: Vec<usize> = Vec::new();
        while !bytes.is_empty() && self.count < ENOUGH {
            let (tag, wire) = decode_key(&mut bytes)?;
            let Ok(at) = fields.binary_search_by_key(&tag, |field| field.tag) else {
                skip_field(wire, tag, &mut bytes, DecodeContext::default())?;
                continue;
            };
            let mut place = Place { outer, field: &fields[at], index: 0 };
            match (&place.field.content, wire) {
                (Content::Number(own), _) if *own == wire => {
                    skip_field(wire, tag, &mut bytes, DecodeContext::default())?;
                    continue;
                }
                (_, WireType::LengthDelimited) => {}
                _ => return Err(of_another_type(&place)),
            }
            let value = delimited(&mut bytes)?;
            if place.field.repeated {
                seen.resize(fields.len(), 0);
                place.index = seen[at];
                seen[at] += 1;
            }
            match place.field.content {
                Content::Text { most } => self.at_text(value, most, &place)?,
                Content::Bytes => {}
                Content::Message(form) => self.at_message(form, value, Some(&place), depth)?,
                Content::Number(own) if place.field.repeated => packed(own, value)?,
                Content::Number(_) => return Err(of_another_type(&place)),
            }
        }
        Ok(())
    }

    fn at_text(&mut self, value: &[u8], most: usize, place: &Place<'_>) -> Result<(), Malformed> {
        let text = std::str::from_utf8(value).map_err(|_| Malformed(format!("{place} is not UTF-8")))?;
        let too_long = text.len() > most && text.chars().count() > most;
        if too_long {
            self.found.add(place.to_string(), "TEXT_TOO_LONG", format!("must be at most {most} characters"));
        } else if text.contains('\0') {
            self.found.add(place.to_string(), "INVALID_TEXT", "must not hold U+0000");
        } else {
            return Ok(());
        }
        self.count += 1;
        Ok(())
    }
}

fn of_another_type(place: &Place<'_>) -> Malformed {
    Malformed(format!("{place} is of another type"))
}

fn delimited<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let length = usize::try_from(decode_varint(bytes)?).unwrap_or(usize::MAX);
    let (value, rest) = bytes.split_at_checked(length).ok_or_else(|| Malformed("it ends too early".to_owned()))?;
    *bytes = rest;
    Ok(value)
}

fn packed(each: WireType, mut values: &[u8]) -> Result<(), Malformed> {
    while !values.is_empty() {
        skip_field(each, 1, &mut values, DecodeContext::default())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]
    use contracts::tables::METHODS;
    use prost::encoding::{bytes, string, uint64};

    use super::*;

    /// A message of this form as a later build may send it: with a field more in each message of it, and each number what no enum
    /// has.
    fn later(form: &Form, depth: u32) -> Vec<u8> {
        let mut message = Vec::new();
        for field in form.fields {
            match field.content {
                Content::Text { .. } => string::encode(field.tag, &"x".to_owned(), &mut message),
                Content::Message(form) if depth > 0 => {
                    bytes::encode(field.tag, &later(form, depth - 1), &mut message);
                }
                Content::Number(WireType::Varint) => uint64::encode(field.tag, &9_999, &mut message),
                _ => {}
            }
        }
        string::encode(15_000, &"of a later build".to_owned(), &mut message);
        message
    }

    #[test]
    fn a_request_of_a_later_build_is_let_in_whichever_method_it_is_for() {
        for method in METHODS {
            let looked = check(method.request, &later(method.request, 10));
            assert!(looked.is_ok_and(|found| found.finish().is_ok()), "{}", method.path);
        }
    }
}
