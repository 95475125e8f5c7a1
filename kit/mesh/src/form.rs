//! What the contract says a request looks like, and whether bytes are one: well-formed, every text UTF-8 without U+0000 and no
//! longer than the contract allows. Looks at the bytes where they lie and copies none; what a request means is its handler's to judge.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_reflect::{ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use tradewind_domain::request::Violations;

/// The most characters of a text field that does not say `max_length`; `options.proto` states it.
const USUAL_LENGTH: usize = 512;
/// As deep as messages are decoded.
const DEPTH: u32 = 100;
/// Whoever has so many fields at fault is told of these.
const ENOUGH: usize = 100;

/// The messages that requests are made of.
#[derive(Debug, Default)]
pub(crate) struct Forms {
    /// The fields of each, by tag.
    messages: Vec<Vec<Field>>,
    by_name: HashMap<String, usize>,
}

#[derive(Debug)]
struct Field {
    tag: u32,
    name: String,
    repeated: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Text { most: usize },
    Bytes,
    Message(usize),
    Number(WireType),
}

/// What is wrong with bytes that are not the message they should be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(String);

impl From<prost::DecodeError> for Malformed {
    fn from(error: prost::DecodeError) -> Self {
        Self(error.to_string())
    }
}

impl Forms {
    /// Learns a message and what it is made of; `length` is the option that says how long a text may be.
    pub(crate) fn learn(&mut self, message: &MessageDescriptor, length: &ExtensionDescriptor) -> usize {
        let form = self.messages.len();
        match self.by_name.entry(message.full_name().to_owned()) {
            Entry::Occupied(known) => return *known.get(),
            Entry::Vacant(new) => _ = new.insert(form),
        }
        self.messages.push(Vec::new());
        let mut fields: Vec<_> = message.fields().map(|field| self.field(&field, length)).collect();
        fields.sort_unstable_by_key(|field| field.tag);
        self.messages[form] = fields;
        form
    }

    /// A message whose only field is a text, such as the one that asks for health.
    pub(crate) fn of_one_text(&mut self, name: &str) -> usize {
        let content = Content::Text { most: USUAL_LENGTH };
        self.messages.push(vec![Field { tag: 1, name: name.to_owned(), repeated: false, content }]);
        self.messages.len() - 1
    }

    fn field(&mut self, field: &FieldDescriptor, length: &ExtensionDescriptor) -> Field {
        let content = match field.kind() {
            Kind::String => {
                let said = field.options().get_extension(length).as_u32().filter(|most| *most > 0);
                Content::Text { most: said.and_then(|most| most.try_into().ok()).unwrap_or(USUAL_LENGTH) }
            }
            Kind::Bytes => Content::Bytes,
            Kind::Message(message) => Content::Message(self.learn(&message, length)),
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Content::Number(WireType::SixtyFourBit),
            Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Content::Number(WireType::ThirtyTwoBit),
            _ => Content::Number(WireType::Varint),
        };
        Field {
            tag: field.number(),
            name: field.name().to_owned(),
            repeated: field.is_list() || field.is_map(),
            content,
        }
    }

    /// Finds the texts of the message `form` that may not be as they are.
    ///
    /// # Errors
    /// Bytes that are no such message.
    pub(crate) fn check(&self, form: usize, bytes: &[u8]) -> Result<Violations, Malformed> {
        let mut look = Look { forms: self, found: Violations::default(), count: 0 };
        look.at_message(form, bytes, None, DEPTH)?;
        Ok(look.found)
    }
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
        f.write_str(&self.field.name)?;
        if self.field.repeated { write!(f, "[{}]", self.index) } else { Ok(()) }
    }
}

struct Look<'a> {
    forms: &'a Forms,
    found: Violations,
    count: usize,
}

impl Look<'_> {
    fn at_message(
        &mut self,
        form: usize,
        mut bytes: &[u8],
        outer: Option<&Place<'_>>,
        depth: u32,
    ) -> Result<(), Malformed> {
        let Some(depth) = depth.checked_sub(1) else { return Err(Malformed("nested too deeply".to_owned())) };
        let fields = &self.forms.messages[form];
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
