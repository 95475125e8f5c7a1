//! Messages as a later build may write them: in each message that they hold a field that this build does not know, and in each enum
//! that says something a value that it has no name for.

use std::sync::LazyLock;

use prost::Message;
use prost::encoding::string;
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage, Value};

/// The number of a field that no contract has.
pub const FIELD: u32 = 15_000;
/// A value that no enum has.
pub const VALUE: i32 = 9_999;
/// What the field says.
pub const TEXT: &str = "of a later build";

static CONTRACTS: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(contracts::DESCRIPTOR).unwrap());

/// A message of the contracts, by its full name, as a later build may have written it; what is in no contract is what it was.
pub fn rewritten(name: &str, bytes: &[u8]) -> Vec<u8> {
    CONTRACTS
        .get_message_by_name(name)
        .map_or_else(|| bytes.to_vec(), |kind| later(&DynamicMessage::decode(kind, bytes).unwrap()).encode_to_vec())
}

/// A message as a later build may have written it.
pub fn later(message: &DynamicMessage) -> DynamicMessage {
    let kind = message.descriptor();
    let mut made = DynamicMessage::new(kind.clone());
    for (field, value) in message.fields() {
        made.set_field(&field, changed(value));
    }
    let mut bytes = made.encode_to_vec();
    string::encode(FIELD, &TEXT.to_owned(), &mut bytes);
    DynamicMessage::decode(kind, bytes.as_slice()).unwrap()
}

fn changed(value: &Value) -> Value {
    match value {
        // Zero is what was never said, which no build says in another way.
        Value::EnumNumber(number) if *number != 0 => Value::EnumNumber(VALUE),
        Value::Message(message) => Value::Message(later(message)),
        Value::List(values) => Value::List(values.iter().map(changed).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|(key, value)| (key.clone(), changed(value))).collect()),
        plain => plain.clone(),
    }
}
