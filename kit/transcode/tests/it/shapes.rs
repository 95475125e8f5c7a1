//! The messages that the public tables presuppose.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use crate::public::enumeration;

/// The message of a shape, with all that is inside of it.
pub(crate) fn message(name: &str, shape: &Value) -> String {
    let mut text = format!("message {name} {{\n");
    let mut inner: BTreeMap<String, String> = BTreeMap::new();
    for (name, fields) in shape["messages"].as_object().into_iter().flatten() {
        inner.insert(name.clone(), self::fields(fields));
    }
    for (name, values) in shape["enums"].as_object().into_iter().flatten() {
        match name.split_once('.') {
            Some((outer, name)) => inner.get_mut(outer).unwrap().push_str(&enumeration(name, values)),
            None => text.push_str(&enumeration(name, values)),
        }
    }
    for (name, body) in inner {
        writeln!(text, "message {name} {{\n{body}}}").unwrap();
    }
    text + &fields(&shape["fields"]) + "}\n"
}

fn fields(fields: &Value) -> String {
    let mut text = String::new();
    let mut oneofs: BTreeMap<&str, String> = BTreeMap::new();
    for field in fields.as_array().unwrap() {
        let label = field["label"].as_str().unwrap_or_default();
        let (kind, name) = (field["type"].as_str().unwrap(), field["field"].as_str().unwrap());
        let line = format!("{label} {kind} {name} = {};\n", field["number"]);
        match field["oneof"].as_str() {
            Some(oneof) => oneofs.entry(oneof).or_default().push_str(&line),
            None => text.push_str(&line),
        }
    }
    for (name, members) in oneofs {
        writeln!(text, "oneof {name} {{\n{members}}}").unwrap();
    }
    text
}
