//! The public suite of requests that come back equal, for every binding: here between a client's HTTP and the message alone.

use std::fmt::Write;

use prost_reflect::{DescriptorPool, DynamicMessage, Kind, ReflectMessage, Value as Field};
use serde_json::{Value, json};
use tradewind_transcode::{Found, Routes, Segment, Template};

use crate::shapes::{IMPORTS, compiled, enumeration, table};

/// The service of the suite.
fn service(shapes: &Value) -> DescriptorPool {
    let mut proto =
        format!("syntax = \"proto3\";\npackage google.showcase.v1beta1;\n{IMPORTS}\nservice Compliance {{\n");
    for rule in shapes["rules"].as_array().unwrap() {
        let text = |name: &str| rule[name].as_str().unwrap();
        let one = |rule: &Value| {
            let text = |name: &str| rule[name].as_str().unwrap();
            format!("{}: {:?} body: {:?}", text("method").to_lowercase(), text("template"), text("body"))
        };
        let more = rule["additional"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| format!("additional_bindings {{ {} }}", one(rule)));
        let option = format!("option (google.api.http) = {{ {} {} }};", one(rule), more.collect::<String>());
        writeln!(proto, "rpc {}({}) returns ({}) {{ {option} }}", text("rpc"), text("request"), text("response"))
            .unwrap();
    }
    proto.push_str("}\n");
    let enums = shapes["enums"].as_object().unwrap();
    for (name, fields) in shapes["messages"].as_object().unwrap() {
        writeln!(proto, "message {name} {{").unwrap();
        for (inner, values) in enums {
            if let Some(inner) = inner.strip_prefix(name.as_str()).and_then(|inner| inner.strip_prefix('.')) {
                proto.push_str(&enumeration(inner, values));
            }
        }
        for field in fields.as_array().unwrap() {
            let label = match field["presence"].as_str().unwrap() {
                label @ ("optional" | "repeated") => label,
                _ => "",
            };
            let (kind, name) = (field["type"].as_str().unwrap(), field["name"].as_str().unwrap());
            writeln!(proto, "{label} {kind} {name} = {};", field["number"]).unwrap();
        }
        proto.push_str("}\n");
    }
    for (name, values) in enums.iter().filter(|(name, _)| !name.contains('.')) {
        proto.push_str(&enumeration(name, values));
    }
    compiled(&proto)
}

/// A value as a client writes it.
fn text(kind: &Kind, value: &Field) -> String {
    match (kind, value) {
        (Kind::Enum(kind), Field::EnumNumber(number)) => kind.get_value(*number).unwrap().name().to_owned(),
        (_, Field::String(text)) => text.clone(),
        (_, Field::Bool(value)) => value.to_string(),
        (_, Field::I32(value)) => value.to_string(),
        (_, Field::I64(value)) => value.to_string(),
        (_, Field::U32(value)) => value.to_string(),
        (_, Field::U64(value)) => value.to_string(),
        (_, Field::F32(value)) => value.to_string(),
        (_, Field::F64(value)) => value.to_string(),
        (kind, value) => panic!("{kind:?} {value}"),
    }
}

fn escaped(text: &str, kept: &[u8]) -> String {
    let byte = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// All values that are set, with their paths.
fn leaves(message: &DynamicMessage, under: &str, found: &mut Vec<(String, String)>) {
    for (field, value) in message.fields() {
        let path = format!("{under}{}", field.name());
        match value {
            Field::Message(inner) => leaves(inner, &format!("{path}."), found),
            value => found.push((path, text(&field.kind(), value))),
        }
    }
}

/// The path of a request, as a client makes it of a template; none where a value does not fit.
fn path(template: &Template, message: &DynamicMessage) -> Option<String> {
    let mut parts: Vec<String> = template
        .segments()
        .iter()
        .map(|segment| match segment {
            Segment::Literal(literal) => literal.text().to_owned(),
            Segment::One | Segment::Rest => String::new(),
        })
        .collect();
    for variable in template.variables().iter().rev() {
        let mut at = message.clone();
        let names: Vec<_> = variable.field.split('.').collect();
        let (last, above) = names.split_last().unwrap();
        for name in above {
            at = at.get_field_by_name(name)?.as_message()?.clone();
        }
        let kind = at.descriptor().get_field_by_name(last).unwrap().kind();
        let many = variable.end - variable.start > 1;
        let value = escaped(&text(&kind, &at.get_field_by_name(last).unwrap()), if many { b"/" } else { b"" });
        parts.splice(variable.start..variable.end, [value]);
    }
    let verb = template.verb().map(|verb| format!(":{}", verb.text())).unwrap_or_default();
    Some(format!("/{}{verb}", parts.join("/")))
}

/// A request by one binding, sent and read.
fn sent<'a>(routes: &'a Routes, binding: &Value, message: &DynamicMessage) -> Option<(Found<'a>, DynamicMessage)> {
    let template = Template::parse(binding["template"].as_str().unwrap()).unwrap();
    let bound: Vec<_> = template.variables().iter().map(|variable| variable.field.clone()).collect();
    let found = routes.find(binding["method"].as_str().unwrap(), &path(&template, message)?).ok()?;
    let body = binding["body"].as_str().unwrap();
    let json = match body {
        "" => Vec::new(),
        "*" => serde_json::to_vec(message).unwrap(),
        name => serde_json::to_vec(message.get_field_by_name(name).unwrap().as_message().unwrap()).unwrap(),
    };
    let mut parameters = Vec::new();
    leaves(message, "", &mut parameters);
    parameters.retain(|(name, _)| body != "*" && !bound.contains(name) && name.split('.').next() != Some(body));
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value, b""))).collect();
    let read = found.request(&parameters.join("&"), &json).unwrap();
    Some((found, read))
}

#[test]
fn every_request_of_the_public_suite_comes_back_equal() {
    let Some(shapes) = table("rest-compliance/shapes.json") else { return };
    let suite = table("rest-compliance/compliance_suite.json").unwrap();
    let pool = service(&shapes);
    let routes = Routes::of(pool.get_service_by_name("google.showcase.v1beta1.Compliance").unwrap().methods()).unwrap();
    let requests = pool.get_message_by_name("google.showcase.v1beta1.RepeatRequest").unwrap();
    let answers = pool.get_message_by_name("google.showcase.v1beta1.RepeatResponse").unwrap();
    let mut pairs = 0;
    for group in suite["group"].as_array().unwrap() {
        let all = |name: &str| group[name].as_array().unwrap().iter();
        for (rpc, request) in all("rpcs").flat_map(|rpc| all("requests").map(move |request| (rpc, request))) {
            let message = DynamicMessage::deserialize(requests.clone(), request.clone()).unwrap();
            let rpc = rpc.as_str().unwrap().trim_start_matches("Compliance.");
            let rule = shapes["rules"].as_array().unwrap().iter().find(|rule| rule["rpc"] == rpc).unwrap();
            let bindings = std::iter::once(rule).chain(rule["additional"].as_array().unwrap());
            // A client takes the first binding whose patterns the values fit.
            let (found, read) = bindings
                .filter_map(|binding| sent(&routes, binding, &message))
                .next()
                .unwrap_or_else(|| panic!("{rpc} {request}"));
            assert_eq!(found.route.method().name(), rpc, "{request}");
            let mut wanted = message.clone();
            for at in Template::parse(&found.route.declared().template).unwrap().variables() {
                set_as_sent(&mut wanted, &at.field);
            }
            assert_eq!(json!(read), json!(wanted), "{rpc} {request}");
            if let Some(binding) = request["intendedBindingUri"].as_str() {
                assert_eq!(found.route.declared().template, binding);
            }
            let mut answer = DynamicMessage::new(answers.clone());
            answer.set_field_by_name("request", Field::Message(read.clone()));
            let said: Value = serde_json::from_slice(&found.route.answer(&answer).unwrap()).unwrap();
            // What is answered can be sent again.
            let again = serde_json::to_vec(&said["request"]).unwrap();
            let back = routes.find("POST", "/v1beta1/repeat:body").unwrap().request("", &again).unwrap();
            assert_eq!(json!(back), json!(read), "{rpc} {request}");
            pairs += 1;
        }
    }
    assert_eq!(pairs, shapes["pairs"].as_array().unwrap().len());
}

/// What a path holds is there, with its messages around it, even where it is nothing.
fn set_as_sent(message: &mut DynamicMessage, path: &str) {
    match path.split_once('.') {
        Some((name, rest)) => set_as_sent(message.get_field_by_name_mut(name).unwrap().as_message_mut().unwrap(), rest),
        None => {
            let value = message.get_field_by_name(path).unwrap().into_owned();
            message.set_field_by_name(path, value);
        }
    }
}
