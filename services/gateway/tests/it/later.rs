//! What a service of a later build answers, as JSON: it has fields that nobody here knows, and values of enums without a name.

use prost::Message;
use prost::encoding::string;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use serde_json::Value as Json;
use tradewind_transcode::Routes;

/// A value that no enum has.
const VALUE: i32 = 9_999;
const TEXT: &str = "of a later build";

/// A message in which every field is set and every message has a field more. `within` is what holds it: nothing holds itself.
fn later(kind: &MessageDescriptor, within: &mut Vec<String>) -> DynamicMessage {
    let mut made = DynamicMessage::new(kind.clone());
    within.push(kind.full_name().to_owned());
    // Times and the like have a form of their own in JSON.
    let plain = kind.package_name() != "google.protobuf";
    for field in kind.fields().filter(|_| plain) {
        let Some(value) = value(&field, within) else { continue };
        let value = match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let Value::Message(entry) = value else { unreachable!("{}", entry.full_name()) };
                let held = entry.get_field_by_name("value").unwrap().into_owned();
                Value::Map([(MapKey::String("key".to_owned()), held)].into())
            }
            _ if field.is_list() => Value::List(vec![value]),
            _ => value,
        };
        made.set_field(&field, value);
    }
    within.pop();
    let mut bytes = made.encode_to_vec();
    string::encode(15_000, &TEXT.to_owned(), &mut bytes);
    DynamicMessage::decode(kind.clone(), bytes.as_slice()).unwrap()
}

fn value(field: &FieldDescriptor, within: &mut Vec<String>) -> Option<Value> {
    match field.kind() {
        Kind::Enum(_) => Some(Value::EnumNumber(VALUE)),
        Kind::Message(kind) if within.iter().any(|outer| outer == kind.full_name()) => None,
        Kind::Message(kind) => Some(Value::Message(later(&kind, within))),
        kind => Some(Value::default_value(&kind)),
    }
}

fn nameless(value: &Value) -> usize {
    match value {
        Value::EnumNumber(_) => 1,
        Value::Message(message) => message.fields().map(|(_, value)| nameless(value)).sum(),
        Value::List(values) => values.iter().map(nameless).sum(),
        Value::Map(entries) => entries.values().map(nameless).sum(),
        _ => 0,
    }
}

fn numbers(json: &Json) -> usize {
    match json {
        Json::Number(number) => usize::from(number.as_i64() == Some(VALUE.into())),
        Json::Array(values) => values.iter().map(numbers).sum(),
        Json::Object(members) => members.values().map(numbers).sum(),
        _ => 0,
    }
}

#[test]
fn the_answer_of_a_later_build_is_written_whichever_method_it_is_of() {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).unwrap();
    let methods: Vec<_> = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    let routes = Routes::of(methods).unwrap();
    let mut found = 0;
    for route in routes.all() {
        let answer = later(&route.method().output(), &mut Vec::new());
        let written = route.answer_of(&answer.encode_to_vec()).unwrap();
        let json: Json = serde_json::from_slice(&written).unwrap();
        let name = route.method().full_name();
        assert_eq!(json, serde_json::from_slice::<Json>(&route.answer(&answer).unwrap()).unwrap(), "{name}");
        assert!(!json.to_string().contains(TEXT), "{name} shows what a later build added: {json}");
        let answer = Value::Message(answer);
        assert_eq!(numbers(&json), nameless(&answer), "{name}: {json}");
        found += nameless(&answer);
    }
    assert!(found > 5, "{found} values of enums in all answers");
}
