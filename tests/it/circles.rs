//! Rooms inside a crate: no circle among modules that are beside each other, at any level.
//!
//! At each module, its children are the rooms, and what any module within a room uses counts for the room. What is used is looked
//! up by name as the compiler does it, through imports and re-exports, so `use crate::Store` is a use of the module that `Store`
//! stands in. A child may use what stands in its parent's own file, and a parent its children: they are one room. Methods that
//! are called without naming their type are not seen, nor what only unit tests use.

mod source;
mod uses;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Each circle of a crate as a chain: who uses whom, and where.
fn circles(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Vec<String> {
    let found = uses::circles(&uses::uses(&source::modules(root, read)));
    let chains = found.into_iter().map(|circle| {
        let step = |index: usize| {
            let (user, place) = &circle[index];
            let (used, _) = &circle[(index + 1) % circle.len()];
            format!("{} uses {} ({place})", user.join("::"), used.join("::"))
        };
        (0..circle.len()).map(step).collect::<Vec<_>>().join(", ")
    });
    chains.collect()
}

/// The files that are roots of the workspace's crates: libraries, programs, tests, build scripts.
fn roots() -> (PathBuf, Vec<PathBuf>) {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let targets = packages.iter().flat_map(|package| package["targets"].as_array().unwrap());
    let roots = targets.map(|target| target["src_path"].as_str().unwrap().into()).collect();
    (metadata["workspace_root"].as_str().unwrap().into(), roots)
}

#[test]
fn no_modules_of_a_crate_use_each_other_in_a_circle() {
    let (workspace, roots) = roots();
    assert!(roots.len() > 30, "only found {roots:?}");
    let found = roots.iter().flat_map(|root| circles(root, &|path| fs::read_to_string(path).ok()));
    let prefix = format!("{}/", workspace.display());
    let found: Vec<_> = found.map(|circle| circle.replace(&prefix, "")).collect();
    assert!(found.is_empty(), "{found:#?}");
}

fn planted(files: &[(&str, &str)]) -> Vec<String> {
    let files: BTreeMap<_, _> = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    circles(Path::new("lib.rs"), &|path| files.get(path).cloned())
}

#[test]
fn a_circle_through_a_re_export_is_found() {
    let found = planted(&[
        ("lib.rs", "mod store; mod tx; pub use store::Store; pub use self::tx::Tx as Transaction;"),
        ("store.rs", "use crate::Transaction;\npub struct Store;"),
        ("tx.rs", "mod commit;\npub struct Tx;"),
        ("tx/commit.rs", "\n\nuse crate::{Store as Kept};"),
    ]);
    assert_eq!(found, ["store uses tx (store.rs:1), tx uses store (tx/commit.rs:3)"]);
}

#[test]
fn a_circle_deep_in_the_tree_is_found_by_paths_without_an_import() {
    let found = planted(&[
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod b; mod c { pub fn ask() { super::d::D::ask(); } } mod d;"),
        ("a/b.rs", "use super::c; fn ask() { println!(\"{}\", c::ask()); }"),
        ("a/d.rs", "pub struct D;\nimpl D { fn ask() { assert!(crate::a::b::of(1)); } }"),
    ]);
    assert_eq!(found, ["a::b uses a::c (a/b.rs:1), a::c uses a::d (a/mod.rs:1), a::d uses a::b (a/d.rs:2)"]);
}

#[test]
fn a_circle_through_all_that_a_module_has_is_found() {
    let found = planted(&[
        ("lib.rs", "mod a; mod b; pub use a::A;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::*;\npub struct B; fn new() -> A { A }"),
    ]);
    assert_eq!(found, ["a uses b (a.rs:1), b uses a (b.rs:2)"]);
}

#[test]
fn a_diamond_a_parents_own_item_and_tests_are_no_circle() {
    let found = planted(&[
        (
            "lib.rs",
            "mod left; mod right; mod top { use crate::{left::L, right::R}; } mod under; pub struct Own; pub use left::L;",
        ),
        ("left.rs", "use crate::under::U; use crate::Own; pub struct L;\n#[cfg(test)] mod tests { use crate::top; }"),
        ("right.rs", "use crate::under::{self, U}; use super::Own; pub struct R;"),
        (
            "under.rs",
            "mod child; pub struct U; use tokio::top;\n/// See [`crate::left::L`].\npub(in crate::under) fn f() { child::of(); }",
        ),
        ("under/child.rs", "pub fn of() -> super::U { super::U }"),
    ]);
    assert_eq!(found, Vec::<String>::new());
}
