//! What every crate of the project has to keep to.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod upcast;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Sensitive in a contract, and much too common a word to be that everywhere.
const COMMON: [&str; 3] = ["name", "address", "key"];
const FOLDERS: [&str; 6] = ["kit", "services", "books", "cli", "outside", "tests/model"];

fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, end, found);
        } else if path.extension().is_some_and(|extension| extension == end) {
            found.push(path);
        }
    }
}

fn read(folder: &str, end: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder), end, &mut found);
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The fields that a contract calls sensitive.
fn sensitive() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in read("proto", "proto") {
        // An option stands on the line of its field, or on one below.
        let mut field = None;
        for line in text.lines() {
            field = declared(line).or(field);
            if line.contains("options.v1.sensitive) = true") {
                names.extend(field.map(str::to_owned));
            }
        }
    }
    names.retain(|name| !COMMON.contains(&name.as_str()));
    names
}

/// The field that begins on a line such as `string email = 2 [`.
fn declared(line: &str) -> Option<&str> {
    let (before, after) = line.split_once(" = ")?;
    let is_field = after.starts_with(|first: char| first.is_ascii_digit()) && before.split_whitespace().count() > 1;
    before.split_whitespace().last().filter(|_| is_field)
}

/// The fields of a text's types with a derived `Debug` that would show a sensitive value.
fn shown(text: &str, sensitive: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    // What stands between one derive and the next belongs to the first; a type ends with a brace at its own depth.
    for (derived, rest) in text.split("#[derive(").skip(1).filter_map(|part| part.split_once(")]")) {
        if !derived.split(',').any(|name| name.trim() == "Debug") {
            continue;
        }
        let mut depth = 0_i32;
        for line in rest.lines() {
            let code = line
                .trim()
                .trim_start_matches("pub ")
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub(super) ");
            if let Some((field, kind)) = code.split_once(": ")
                && depth > 0
                && sensitive.contains(field)
                && (kind.contains("String") || kind.contains("str"))
                // What is written in the program is nobody's.
                && !kind.contains("&'static str")
                && !kind.contains("Sensitive")
            {
                found.push(code.to_owned());
            }
            depth +=
                i32::try_from(line.matches('{').count()).unwrap() - i32::try_from(line.matches('}').count()).unwrap();
            let ends = depth == 0 && (line.ends_with(';') || line.contains('}'));
            if ends {
                break;
            }
        }
    }
    found
}

#[test]
fn no_type_shows_what_a_contract_calls_sensitive() {
    let sensitive = sensitive();
    assert!(
        ["payment_token", "email", "line1", "postal_code", "recipient"].iter().all(|name| sensitive.contains(*name))
    );
    for (path, text) in FOLDERS.iter().flat_map(|folder| read(folder, "rs")) {
        let found = shown(&text, &sensitive);
        assert!(found.is_empty(), "{}: {found:?} must be Sensitive, or its type must not derive Debug", path.display());
    }
}

#[test]
fn the_rule_finds_what_it_is_for() {
    let names = BTreeSet::from(["payment_token".to_owned()]);
    let found = |text: &str| shown(text, &names).len();
    assert_eq!(
        found("#[derive(Clone, Debug)]\npub struct Place {\n    /// Pays.\n    pub payment_token: String,\n}\n"),
        1
    );
    assert_eq!(
        found("#[derive(Debug)]\nenum C {\n    Place {\n        payment_token: Option<String>,\n    },\n}\n"),
        1
    );
    assert_eq!(found("#[derive(Debug)]\nstruct P {\n    payment_token: Sensitive<String>,\n}\n"), 0);
    assert_eq!(found("#[derive(Clone)]\nstruct P {\n    payment_token: String,\n}\n"), 0);
    assert_eq!(found("#[derive(Debug)]\nstruct A;\nstruct P {\n    payment_token: String,\n}\n"), 0);
}
