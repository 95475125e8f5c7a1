//! The folder of the public tables, and the messages that they presuppose, as descriptors.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;
use serde_json::Value;

/// A table out of the folder that `DATA` names, or out of the one beside the repository; none where there is no such folder.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says where the tables are")]
pub(crate) fn table(name: &str) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os("DATA").map(|folder| root.join(PathBuf::from(folder)));
    let asked = named.is_some();
    let folder = named.unwrap_or_else(|| root.join("../shared/data"));
    assert!(!asked || folder.is_dir(), "DATA names no folder: {}", folder.display());
    let Ok(text) = fs::read(folder.join(name)) else {
        eprintln!("skipped: there is no {name}; DATA names the folder of the public tables");
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}

/// Compiles a file beside the project's own.
pub(crate) fn compiled(proto: &str) -> DescriptorPool {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("test.proto"), proto).unwrap();
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut compiler = protox::Compiler::new([folder.path().to_owned(), project]).unwrap();
    compiler.include_imports(true).open_file("test.proto").unwrap_or_else(|error| panic!("{error}\n{proto}"));
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}

pub(crate) const IMPORTS: &str = r#"
import "google/api/annotations.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
"#;

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

pub(crate) fn enumeration(name: &str, values: &Value) -> String {
    let values = values.as_object().unwrap();
    let mut values: Vec<_> = values.iter().map(|(name, number)| (number.as_i64().unwrap(), name)).collect();
    values.sort();
    let values: String = values.iter().map(|(number, name)| format!("{name} = {number};\n")).collect();
    format!("enum {name} {{\n{values}}}\n")
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
