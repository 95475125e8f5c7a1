//! What tests of public suites share, here and in the gateway's: the folder of the tables, messages made of them, and the document
//! that tells of the results.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use prost_reflect::DescriptorPool;
use serde_json::Value;

/// A table out of the folder that `DATA` names, or out of the one beside the repository; none where it is not there.
pub(crate) fn table(name: &str) -> Option<Value> {
    Some(serde_json::from_slice(&fs::read(data(name)?).unwrap()).unwrap())
}

/// Where a file of that folder is; says that it is skipped where there is none.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says where the tables are")]
pub(crate) fn data(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os("DATA").map(|folder| root.join(PathBuf::from(folder)));
    let asked = named.is_some();
    let folder = named.unwrap_or_else(|| root.join("../shared/data"));
    assert!(!asked || folder.is_dir(), "DATA names no folder: {}", folder.display());
    let path = folder.join(name);
    if !path.is_file() {
        eprintln!("skipped: there is no {name}; DATA names the folder of the public tables");
        return None;
    }
    Some(path)
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

/// The enum of a shape.
pub(crate) fn enumeration(name: &str, values: &Value) -> String {
    let values = values.as_object().unwrap();
    let mut values: Vec<_> = values.iter().map(|(name, number)| (number.as_i64().unwrap(), name)).collect();
    values.sort();
    let values: String = values.iter().map(|(number, name)| format!("{name} = {number};\n")).collect();
    format!("enum {name} {{\n{values}}}\n")
}

/// Holds a line of docs/edge-conformance.md, known by its first cell, beside what was found; where `UPDATE_GOLDEN` is set, it becomes that.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says whether the document is written")]
pub(crate) fn documented(line: &str, found: &[String]) {
    static WRITING: Mutex<()> = Mutex::new(());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/edge-conformance.md");
    let begins = format!("| {line} |");
    let found = format!("{begins} {} |", found.join(" | "));
    let _writing = WRITING.lock().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let stands = text.lines().find(|stands| stands.starts_with(&begins));
    let stands = stands.unwrap_or_else(|| panic!("docs/edge-conformance.md has no line {begins}"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text.replace(stands, &found)).unwrap();
    } else {
        assert_eq!(stands, found, "scripts/conformance --write makes docs/edge-conformance.md current");
    }
}
