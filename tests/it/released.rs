//! Whatever was written under a released contract is read for ever: events lie in logs, requests come from those who were built
//! then.
//!
//! `released/golden.txt` has the bytes of every released event and request, with every field set to what its name makes of it, a
//! line for each one that can be set of a `oneof`. A line once written stays; a release adds those of what is new.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

use crate::programs::project;

/// Every event and every request.
fn travelling(pool: &DescriptorPool) -> BTreeSet<String> {
    let event = pool.get_extension_by_name("tradewind.options.v1.event").unwrap();
    let events = pool.all_messages().filter(|message| message.options().has_extension(&event));
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let requests = methods.map(|method| method.input());
    events.chain(requests).map(|message| message.full_name().to_owned()).collect()
}

/// A number that a name makes: at least 1, and in every kind of number there is (FNV-1a).
fn number(name: &str) -> u32 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % 1_000_000_000 + 1
}

/// What a field is set to that holds no message.
fn plain(field: &FieldDescriptor) -> Value {
    let name = field.full_name();
    let (number, small) = (number(name), i32::try_from(number(name)).unwrap());
    match field.kind() {
        Kind::Double => Value::F64(f64::from(small)),
        Kind::Float => Value::F32(f32::from(u16::try_from(number % 60_000).unwrap())),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(small),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(i64::from(small) << 20),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(number),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::from(number) << 20),
        Kind::Bool => Value::Bool(true),
        Kind::String => Value::String(name.to_owned()),
        Kind::Bytes => Value::Bytes(name.as_bytes().to_vec().into()),
        Kind::Enum(kind) => {
            Value::EnumNumber(kind.values().map(|value| value.number()).find(|value| *value > 0).unwrap_or(0))
        }
        Kind::Message(message) => unreachable!("{} is a message", message.full_name()),
    }
}

/// A message with every field set, of each `oneof` the one whose turn it is. `within` is what holds it: nothing holds itself.
fn filled(message: &MessageDescriptor, turn: usize, within: &mut Vec<String>) -> DynamicMessage {
    let mut made = DynamicMessage::new(message.clone());
    within.push(message.full_name().to_owned());
    for field in message.fields() {
        let others = field.containing_oneof().map(|oneof| oneof.fields().collect::<Vec<_>>()).unwrap_or_default();
        if others.len() > 1 && others[turn % others.len()] != field {
            continue;
        }
        let one = match field.kind() {
            Kind::Message(inner) if within.iter().any(|outer| outer == inner.full_name()) => continue,
            Kind::Message(inner) if field.is_map() => {
                let (key, value) = (inner.map_entry_key_field(), inner.map_entry_value_field());
                let value = match value.kind() {
                    Kind::Message(inner) => Value::Message(filled(&inner, turn, within)),
                    _ => plain(&value),
                };
                let key: MapKey = plain(&key).into_map_key().unwrap();
                Value::Map([(key, value)].into())
            }
            Kind::Message(inner) => Value::Message(filled(&inner, turn, within)),
            _ => plain(&field),
        };
        made.set_field(&field, if field.is_list() { Value::List(vec![one]) } else { one });
    }
    within.pop();
    made
}

/// The lines of a message: as many as it takes for every field of it to be in one.
fn lines(message: &MessageDescriptor) -> BTreeSet<String> {
    fn turns(message: &MessageDescriptor, within: &mut Vec<String>) -> usize {
        if within.iter().any(|outer| outer == message.full_name()) {
            return 1;
        }
        within.push(message.full_name().to_owned());
        let own = message.oneofs().map(|oneof| oneof.fields().len()).max().unwrap_or(1);
        let held = message.fields().filter_map(|field| field.kind().as_message().map(|held| turns(held, within)));
        let turns = held.max().unwrap_or(1).max(own);
        within.pop();
        turns
    }
    let bytes = (0..turns(message, &mut Vec::new())).map(|turn| filled(message, turn, &mut Vec::new()).encode_to_vec());
    bytes.map(|bytes| format!("{} {}", message.full_name(), hex(&bytes))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Every message that was released, with its name.
pub(crate) fn golden() -> Vec<(String, Vec<u8>)> {
    let text = fs::read_to_string(project("released/golden.txt")).unwrap();
    let parts = text.lines().map(|line| line.split_once(' ').unwrap());
    parts.map(|(name, hex)| (name.to_owned(), bytes(hex))).collect()
}

/// Says where a message that was read holds something else than was written.
fn misread(message: &DynamicMessage, path: &str, wrong: &mut Vec<String>) {
    wrong.extend(message.unknown_fields().map(|field| format!("{path}: nothing has number {}", field.number())));
    for (field, value) in message.fields() {
        let path = format!("{path}.{}", field.name());
        let values: Vec<(FieldDescriptor, &Value)> = match value {
            Value::List(values) => values.iter().map(|value| (field.clone(), value)).collect(),
            Value::Map(entries) => {
                let entry = field.kind().as_message().unwrap().clone();
                let key = plain(&entry.map_entry_key_field()).into_map_key().unwrap();
                if !entries.contains_key(&key) {
                    wrong.push(format!("{path}: {entries:?} instead of {key:?}"));
                }
                entries.values().map(|value| (entry.map_entry_value_field(), value)).collect()
            }
            value => vec![(field.clone(), value)],
        };
        for (field, value) in values {
            match value {
                Value::Message(inner) => misread(inner, &path, wrong),
                value if *value != plain(&field) => {
                    wrong.push(format!("{path}: {value:?} instead of {:?}", plain(&field)))
                }
                _ => {}
            }
        }
    }
}

/// `UPDATE_GOLDEN=1 cargo test -p system-tests` adds what a release has and the file has not.
#[test]
fn bytes_of_every_released_event_and_request_are_kept() {
    let released = fs::read(project("released/contracts.binpb")).unwrap();
    let released = DescriptorPool::decode(released.as_slice()).unwrap();
    let path = project("released").join("golden.txt");
    let mut kept: BTreeSet<String> = fs::read_to_string(&path).unwrap_or_default().lines().map(str::to_owned).collect();
    let wanted =
        travelling(&released).into_iter().flat_map(|name| lines(&released.get_message_by_name(&name).unwrap()));
    let wanted: BTreeSet<String> = wanted.collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        kept.extend(wanted.iter().cloned());
        fs::write(&path, kept.iter().fold(String::new(), |text, line| text + line + "\n")).unwrap();
    }
    let missing: Vec<&String> = wanted.difference(&kept).collect();
    assert!(missing.is_empty() && wanted.len() > 100, "{} lines, and these are missing: {missing:#?}", wanted.len());
}

#[test]
fn what_was_written_under_every_release_is_read_field_by_field() {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).unwrap();
    let mut wrong = Vec::new();
    for (name, bytes) in golden() {
        let Some(message) = pool.get_message_by_name(&name) else {
            wrong.push(format!("{name} is gone"));
            continue;
        };
        match DynamicMessage::decode(message, bytes.as_slice()) {
            Ok(read) => misread(&read, &name, &mut wrong),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is read is judged by its number, its type and its name.
#[test]
fn what_is_misread_is_found() {
    let field = |pool: &DescriptorPool| pool.get_message_by_name("tradewind.money.v1.Money").unwrap();
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).unwrap();
    let written = filled(&field(&pool), 0, &mut Vec::new()).encode_to_vec();
    let found = |bytes: &[u8]| {
        let mut wrong = Vec::new();
        misread(&DynamicMessage::decode(field(&pool), bytes).unwrap(), "Money", &mut wrong);
        wrong
    };
    assert_eq!(found(&written), Vec::<String>::new());
    let mut more = written.clone();
    more.extend([0x7a, 0x01, 0x78]);
    assert_eq!(found(&more), ["Money: nothing has number 15"]);
    let other = filled(&pool.get_message_by_name("tradewind.ordering.v1.ShortLine").unwrap(), 0, &mut Vec::new());
    assert!(found(&other.encode_to_vec()).len() > 1);
}

/// Both were written by one `make released`.
#[test]
fn what_the_released_services_read_is_in_the_released_contracts() {
    let released = fs::read(project("released/contracts.binpb")).unwrap();
    let released = DescriptorPool::decode(released.as_slice()).unwrap();
    let text = fs::read_to_string(project("released/reads.txt")).unwrap();
    let fields: Vec<&str> = text.lines().map(|line| line.rsplit_once(" reads ").unwrap().1).collect();
    let is_there = |field: &str| {
        let (message, name) = field.rsplit_once('.').unwrap();
        released.get_message_by_name(message).is_some_and(|message| message.get_field_by_name(name).is_some())
    };
    let unknown: Vec<_> = fields.iter().filter(|field| !is_there(field)).collect();
    assert!(unknown.is_empty() && fields.len() > 100, "{} fields, unknown are {unknown:#?}", fields.len());
}
