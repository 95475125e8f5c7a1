//! An answer is written the same from its bytes as from a message, however whoever sent it has written it.

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MapKey, MessageDescriptor, Value};
use serde_json::Value as Json;
use tradewind_transcode::{Route, Routes};

use crate::public::{IMPORTS, compiled};

/// Enough for each kind to have each of its values.
const MESSAGES: u64 = 400;

const PROTO: &str = r#"
service Every {
    rpc Get(Everything) returns (Everything) { option (google.api.http) = { get: "/everything" }; }
    rpc Name(Everything) returns (google.protobuf.StringValue) { option (google.api.http) = { get: "/name" }; }
    rpc Old(Everything) returns (Earlier) { option (google.api.http) = { get: "/earlier" }; }
}
enum Colour { NONE = 0; RED = 1; BLUE = 4; }
message Everything {
    double a_double = 1; float a_float = 2; int32 an_int = 3; int64 a_long = 4; uint32 a_uint = 5; uint64 a_ulong = 6;
    sint32 a_sint = 7; sint64 a_slong = 8; fixed32 a_fixed = 9; fixed64 a_long_fixed = 10; sfixed32 a_sfixed = 11;
    sfixed64 a_long_sfixed = 12; bool a_bool = 13; string a_string = 14; bytes some_bytes = 15; Colour colour = 16;
    optional string maybe = 17; optional int32 maybe_int = 18; optional double maybe_double = 19;
    oneof choice { string text = 20; int64 number = 21; Everything inside = 22; }
    oneof other { bool yes = 23; bool no = 24; }
    Everything child = 30; google.protobuf.Timestamp time = 31; google.protobuf.Duration took = 32;
    repeated double doubles = 40; repeated int64 longs = 41; repeated bool bools = 42; repeated string strings = 43;
    repeated Everything children = 44; repeated Colour colours = 45; repeated google.protobuf.Timestamp times = 46;
    repeated sint32 sints = 47; repeated bytes parts = 48; repeated float floats = 49; repeated uint32 loose = 50 [packed = false];
    map<string, Everything> by_name = 60; google.protobuf.StringValue wrapped = 61; google.protobuf.FieldMask mask = 62;
    google.protobuf.Struct anything = 63; google.protobuf.NullValue nothing = 64;
}
message Earlier { int32 kept = 2; }
"#;

/// Numbers that look like any, the same in each run.
struct Any(u64);

impl Any {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        let at = self.next(of.len() as u64);
        of[usize::try_from(at).unwrap()].clone()
    }

    fn message(&mut self, kind: &MessageDescriptor, deep: u64) -> DynamicMessage {
        let mut message = DynamicMessage::new(kind.clone());
        match kind.full_name() {
            "google.protobuf.Timestamp" => {
                let seconds = [0, 1_790_000_000, -1, -62_135_596_800, 253_402_300_799, 253_402_300_800];
                message.set_field_by_name("seconds", Value::I64(self.one(&seconds)));
                message.set_field_by_name("nanos", Value::I32(self.one(&[0, 1, 5_000, 120_000_000, 999_999_999])));
            }
            "google.protobuf.Duration" => {
                message.set_field_by_name("seconds", Value::I64(self.one(&[0, 1, 315_576_000_000, 315_576_000_001])));
                message.set_field_by_name("nanos", Value::I32(self.one(&[0, 1, 5_000, 120_000_000])));
                if self.next(3) == 0 {
                    message.set_field_by_name("seconds", Value::I64(-3));
                    message.set_field_by_name("nanos", Value::I32(-3_000_000));
                }
            }
            "google.protobuf.FieldMask" => {
                message.set_field_by_name("paths", Value::List(vec![Value::String("a_b".to_owned())]))
            }
            "google.protobuf.Struct" => {}
            _ => {
                for field in kind.fields().collect::<Vec<_>>() {
                    if self.next(6) != 0 || (deep == 0 && matches!(field.kind(), Kind::Message(_))) {
                        continue;
                    }
                    let value = if field.is_map() {
                        let Kind::Message(entry) = field.kind() else { panic!("a map of entries") };
                        let value = self.value(&entry.map_entry_value_field().kind(), deep);
                        Value::Map([(MapKey::String("a".to_owned()), value)].into())
                    } else if field.is_list() {
                        Value::List((0..self.next(4)).map(|_| self.value(&field.kind(), deep)).collect())
                    } else {
                        self.value(&field.kind(), deep)
                    };
                    message.set_field(&field, value);
                }
            }
        }
        message
    }

    fn value(&mut self, kind: &Kind, deep: u64) -> Value {
        match kind {
            Kind::Double => {
                Value::F64(self.one(&[0.0, -0.0, 1.5, -2e300, 0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]))
            }
            Kind::Float => {
                Value::F32(self.one(&[0.0, -0.0, 1.5, 0.1, f32::MAX, f32::MIN_POSITIVE, f32::NAN, f32::INFINITY]))
            }
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.one(&[0, 1, -1, i32::MAX, i32::MIN])),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.one(&[0, 1, -1, i64::MAX, i64::MIN])),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.one(&[0, 1, u32::MAX])),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.one(&[0, 1, u64::MAX])),
            Kind::Bool => Value::Bool(self.next(2) == 0),
            Kind::String => {
                Value::String(self.one(&["", "tea", "\"\\\n\u{1}\u{7f}</script>", "grün \u{1f375}\u{2028}"]).to_owned())
            }
            Kind::Bytes => Value::Bytes(self.one(&[&b""[..], b"a", b"ab", b"abc\xff"]).to_vec().into()),
            Kind::Enum(_) => Value::EnumNumber(self.one(&[0, 1, 4, 7, -1])),
            Kind::Message(kind) => Value::Message(self.message(kind, deep.saturating_sub(1))),
        }
    }
}

fn routes() -> Routes {
    let pool = compiled(&format!("syntax = \"proto3\";\npackage every.v1;\n{IMPORTS}{PROTO}"));
    let service = pool.get_service_by_name("every.v1.Every").unwrap();
    Routes::of(service.methods()).unwrap()
}

/// The JSON of these bytes, which is the same both ways.
#[track_caller]
fn written(route: &Route, bytes: &[u8]) -> Option<Json> {
    let message = DynamicMessage::decode(route.method().output(), bytes);
    let by_message = message.ok().and_then(|message| route.answer(&message).ok());
    let by_bytes = route.answer_of(bytes).ok();
    let [by_message, by_bytes] = [by_message, by_bytes].map(|json| json.map(|json| String::from_utf8(json).unwrap()));
    assert_eq!(by_bytes, by_message, "{bytes:?}");
    by_bytes.map(|json| serde_json::from_str(&json).unwrap())
}

#[test]
fn whatever_a_message_holds_it_is_written_the_same_from_its_bytes() {
    let routes = routes();
    let route = routes.find("GET", "/everything").unwrap().route;
    let (mut refused, mut any) = (0, Any(7));
    for _ in 0..MESSAGES {
        let message = any.message(&route.method().output(), 3);
        refused += u64::from(written(route, &message.encode_to_vec()).is_none());
    }
    assert!((1..MESSAGES / 2).contains(&refused), "{refused} of {MESSAGES}: some hold a time that there is none of");
}

#[test]
fn whatever_is_behind_each_other_is_written_as_if_it_had_been_in_order() {
    let routes = routes();
    let route = routes.find("GET", "/everything").unwrap().route;
    let mut any = Any(8);
    for _ in 0..MESSAGES {
        let two = [0, 1].map(|_| any.message(&route.method().output(), 2).encode_to_vec());
        written(route, &two.concat());
    }
}

#[test]
fn whatever_is_no_message_is_refused_both_ways() {
    let routes = routes();
    let route = routes.find("GET", "/everything").unwrap().route;
    let mut any = Any(9);
    for _ in 0..MESSAGES {
        let mut bytes = any.message(&route.method().output(), 2).encode_to_vec();
        if let Some(last) = bytes.len().checked_sub(1) {
            let at = usize::try_from(any.next(last as u64 + 1)).unwrap();
            bytes[at] ^= 1 << any.next(8);
            written(route, &bytes);
            bytes.truncate(at);
            written(route, &bytes);
        }
    }
    // No UTF-8.
    assert_eq!(written(route, b"\x72\x01\xff"), None);
}

#[test]
fn fields_that_the_contract_does_not_know_are_passed_over() {
    let routes = routes();
    let route = routes.find("GET", "/earlier").unwrap().route;
    let bytes = b"\x08\x05\x10\x07\x1a\x02ab\x25abcd\x29abcdefgh";
    assert_eq!(written(route, bytes), Some(serde_json::json!({ "kept": 7 })));
    assert_eq!(written(route, b"\x10\x07\x1b\x1c"), Some(serde_json::json!({ "kept": 7 })), "a group");
}

#[test]
fn a_message_with_a_json_of_its_own_has_it() {
    let routes = routes();
    assert_eq!(written(routes.find("GET", "/name").unwrap().route, b"\x0a\x03tea"), Some("tea".into()));
}

#[test]
fn messages_may_be_as_deep_in_each_other_as_anywhere() {
    let routes = routes();
    let route = routes.find("GET", "/everything").unwrap().route;
    let mut bytes = Vec::new();
    for deep in 0..110 {
        let is_written = written(route, &bytes).is_some();
        assert_eq!(is_written, deep <= 100, "{deep} deep");
        let mut outer = vec![0xf2, 0x01];
        prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        outer.append(&mut bytes);
        bytes = outer;
    }
}

#[test]
fn the_answers_of_the_contract_have_tables() {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).unwrap();
    let mut any = Any(10);
    for service in pool.services() {
        let routes = Routes::of(service.methods()).unwrap();
        for route in routes.all() {
            for _ in 0..4 {
                written(route, &any.message(&route.method().output(), 3).encode_to_vec());
            }
        }
    }
}
