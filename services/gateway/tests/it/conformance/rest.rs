//! Requests that come back equal, by every binding that their values fit: those of a public suite, and own ones.

use std::fmt::Write;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, ReflectMessage, Value as Field};
use reqwest::Method;
use serde_json::{Value, json};
use tradewind_transcode::{Matcher, Routes, Segment, Template};

use super::public::{IMPORTS, compiled, documented, enumeration, table};
use super::repeat::Repeating;
use super::rows;

/// The service of a suite.
fn service(shapes: &Value) -> DescriptorPool {
    let [package, service] = ["package", "service"].map(|name| shapes["form"][name].as_str().unwrap());
    let mut proto = format!("syntax = \"proto3\";\npackage {package};\n{IMPORTS}\nservice {service} {{\n");
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

/// A request as HTTP has it.
struct Sent {
    method: Method,
    url: String,
    json: Option<Vec<u8>>,
    /// What its path says.
    bound: Vec<String>,
}

/// The request of one binding; none where its values do not fit the binding's path.
fn sent(binding: &Value, message: &DynamicMessage) -> Option<Sent> {
    let template = Template::parse(binding["template"].as_str().unwrap()).unwrap();
    let bound: Vec<_> = template.variables().iter().map(|variable| variable.field.clone()).collect();
    let path = path(&template, message)?;
    let mut matcher = Matcher::default();
    matcher.insert("GET", template, ()).unwrap();
    matcher.find("GET", &path).ok()?;
    let body = binding["body"].as_str().unwrap();
    let json = match body {
        "" => None,
        "*" => Some(serde_json::to_vec(message).unwrap()),
        name => Some(serde_json::to_vec(message.get_field_by_name(name).unwrap().as_message().unwrap()).unwrap()),
    };
    let mut parameters = Vec::new();
    leaves(message, "", &mut parameters);
    parameters.retain(|(name, _)| body != "*" && !bound.contains(name) && name.split('.').next() != Some(body));
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value, b""))).collect();
    let method = binding["method"].as_str().unwrap().parse().unwrap();
    Some(Sent { method, url: format!("{path}?{}", parameters.join("&")), json, bound })
}

/// Sends every request of a suite by every binding that it fits, and looks at what comes back. Gives how many pairs of request and method
/// there were, and how many bindings took them.
async fn all_come_back_equal(shapes: &Value, suite: &Value) -> (usize, usize) {
    let [package, name] = ["package", "service"].map(|name| shapes["form"][name].as_str().unwrap());
    let pool = service(shapes);
    let repeating = Repeating::open(&pool.get_service_by_name(&format!("{package}.{name}")).unwrap()).await;
    let client = tradewind_runtime::direct().build().unwrap();
    // What is answered can be sent again: it is read as the first method reads its body.
    let routes = Routes::of(pool.get_service_by_name(&format!("{package}.{name}")).unwrap().methods()).unwrap();
    let read = |json: &Value| {
        let rule = &shapes["rules"][0];
        let [http, path] = ["method", "template"].map(|name| rule[name].as_str().unwrap());
        routes.find(http, path).unwrap().request("", &serde_json::to_vec(json).unwrap())
    };
    let (mut pairs, mut taken) = (0, 0);
    for group in suite["group"].as_array().unwrap() {
        let all = |name: &str| group[name].as_array().unwrap().iter();
        for (rpc, request) in all("rpcs").flat_map(|rpc| all("requests").map(move |request| (rpc, request))) {
            let rpc = rpc.as_str().unwrap().rsplit('.').next().unwrap();
            let rule = shapes["rules"].as_array().unwrap().iter().find(|rule| rule["rpc"] == rpc).unwrap();
            let kind = pool.get_message_by_name(&format!("{package}.{}", rule["request"].as_str().unwrap())).unwrap();
            let message = DynamicMessage::deserialize(kind.clone(), request.clone()).unwrap();
            let bindings = std::iter::once(rule).chain(rule["additional"].as_array().unwrap());
            let fitting: Vec<_> = bindings.filter_map(|binding| Some((binding, sent(binding, &message)?))).collect();
            // A client takes the first that fits; a request may say which that is.
            let first = fitting.first().unwrap_or_else(|| panic!("no binding of {rpc} takes {request}"));
            if let Some(intended) = request["intendedBindingUri"].as_str() {
                assert_eq!(first.0["template"], intended);
            }
            for (binding, sent) in fitting {
                let asked = client.request(sent.method, format!("http://{}{}", repeating.front.address, sent.url));
                let asked = match sent.json {
                    Some(json) => asked.header("content-type", "application/json").body(json),
                    None => asked,
                };
                let answered = asked.send().await.unwrap();
                let (status, text) = (answered.status().as_u16(), answered.text().await.unwrap());
                let place = format!("{} {}: {request}: {text}", binding["template"], sent.url);
                assert_eq!(status, 200, "{place}");
                let back = serde_json::from_str::<Value>(&text).unwrap()["request"].take();
                let back = read(&back).unwrap_or_else(|error| panic!("{error}: {place}"));
                let mut wanted = message.clone();
                for field in &sent.bound {
                    set_as_sent(&mut wanted, field);
                }
                // As bytes, so that -0 is not 0.
                assert_eq!(back.encode_to_vec(), wanted.encode_to_vec(), "{place}\n{}", json!(wanted));
                taken += 1;
            }
            pairs += 1;
        }
    }
    (pairs, taken)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_the_public_suite_comes_back_equal() {
    let Some(shapes) = table("rest-compliance/shapes.json") else { return };
    let Some(suite) = table("rest-compliance/compliance_suite.json") else { return };
    let (pairs, taken) = all_come_back_equal(&shapes, &suite).await;
    assert_eq!(pairs, shapes["pairs"].as_array().unwrap().len());
    documented("requests that come back equal", &[format!("{pairs} of {pairs}"), format!("{taken} by HTTP")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_these_rows_comes_back_equal() {
    let (pairs, taken) = all_come_back_equal(&rows::shapes(), &rows::suite()).await;
    assert_eq!((pairs, taken), (rows::PAIRS, rows::TAKEN));
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
