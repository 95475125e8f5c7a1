//! Dependencies point one way, and services meet only in the contracts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::purity::sources;

/// Path of a workspace crate below the root → paths of the workspace crates it depends on.
fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let root = metadata["workspace_root"].as_str().unwrap();
    let relative = |path: &str| {
        path.strip_prefix(root)
            .map(|path| path.trim_start_matches('/').to_owned())
            .filter(|path| !path.starts_with('.'))
    };
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let manifest = package["manifest_path"].as_str().unwrap().trim_end_matches("/Cargo.toml");
            let normal = |dependency: &&Value| dependency["kind"].is_null();
            let dependencies = package["dependencies"].as_array().unwrap().iter().filter(normal);
            let dependencies = dependencies.filter_map(|d| d["path"].as_str()).filter_map(relative).collect();
            (relative(manifest).unwrap(), dependencies)
        })
        .collect()
}

#[test]
fn a_service_never_depends_on_another_service() {
    let edges = edges();
    let services: Vec<_> = edges.keys().filter(|path| path.starts_with("services/")).collect();
    assert!(services.len() >= 6, "only found {services:?}");
    for service in services {
        let others: Vec<_> = edges[service].iter().filter(|path| path.starts_with("services/")).collect();
        assert!(others.is_empty(), "{service} depends on {others:?}");
    }
}

/// It composes the others. The root crate `contracts` has the empty path.
const RUNTIME: [&str; 12] = [
    "",
    "kit/broker",
    "kit/domain",
    "kit/events",
    "kit/mesh",
    "kit/operate",
    "kit/projections",
    "kit/replicas",
    "kit/sql",
    "kit/store",
    "kit/telemetry",
    "kit/work",
];

/// What it is made of.
const TESTING: [&str; 8] =
    ["", "kit/broker", "kit/domain", "kit/events", "kit/mesh", "kit/runtime", "kit/sql", "kit/store"];

#[test]
fn kit_crates_depend_only_on_those_below_them() {
    let allowed: [(&str, &[&str]); 21] = [
        ("kit/admission", &["kit/calls", "kit/workload", ""]),
        ("kit/broker", &["kit/domain", "kit/sql", "kit/store"]),
        ("kit/calls", &["kit/domain", "kit/telemetry", "kit/workload", ""]),
        ("kit/domain", &[]),
        ("kit/edge", &["kit/calls", "kit/mesh", "kit/runtime", "kit/tokens", ""]),
        (
            "kit/events",
            &["kit/broker", "kit/domain", "kit/fault", "kit/replicas", "kit/sql", "kit/store", "kit/telemetry"],
        ),
        ("kit/fault", &[]),
        ("kit/filter", &["kit/domain"]),
        ("kit/mesh", &["kit/admission", "kit/calls", "kit/domain", "kit/tokens", "kit/workload", ""]),
        ("kit/operate", &["kit/domain", "kit/events", "kit/projections", "kit/sql", "kit/store"]),
        ("kit/projections", &["kit/domain", "kit/events", "kit/fault", "kit/replicas", "kit/sql", "kit/store"]),
        ("kit/replicas", &["kit/domain", "kit/sql", "kit/store"]),
        ("kit/runtime", &RUNTIME),
        ("kit/sql", &["kit/domain", "kit/telemetry"]),
        ("kit/store", &["kit/domain", "kit/fault", "kit/sql", "kit/telemetry"]),
        ("kit/telemetry", &[]),
        ("kit/testing", &TESTING),
        ("kit/tokens", &["kit/workload"]),
        ("kit/transcode", &[]),
        ("kit/work", &["kit/domain", "kit/fault", "kit/replicas", "kit/sql", "kit/store", "kit/telemetry"]),
        ("kit/workload", &[]),
    ];
    let edges = edges();
    let kit: Vec<_> = edges.keys().filter(|path| path.starts_with("kit/")).map(String::as_str).collect();
    assert_eq!(kit, allowed.map(|(kit, _)| kit), "every crate of the kit has its place");
    for (kit, below) in allowed {
        let wrong: Vec<_> = edges[kit].iter().filter(|path| !below.contains(&path.as_str())).collect();
        assert!(wrong.is_empty(), "{kit} depends on {wrong:?}");
    }
}

/// Whoever proves something must not be able to change it.
#[test]
fn the_books_know_what_is_said_and_nobody_who_says_it() {
    let said: BTreeSet<_> = ["", "kit/mesh", "kit/runtime"].map(str::to_owned).into();
    assert_eq!(edges()["books"], said);
}

/// How a service does what it does is nothing to whoever keeps it running.
#[test]
fn the_supervisor_knows_the_services_what_is_said_of_them_and_how_one_is_run() {
    let edges = edges();
    let known = |path: &str| path.starts_with("services/") || ["", "kit/runtime"].contains(&path);
    let unknown: Vec<_> = edges["cli/supervisor"].iter().filter(|path| !known(path)).collect();
    assert!(unknown.is_empty(), "it depends on {unknown:?}");
}

#[test]
fn nothing_in_a_service_depends_on_tests_or_tools() {
    for (path, dependencies) in edges().iter().filter(|(path, _)| path.starts_with("services/")) {
        // Whoever serves the console is nothing else.
        let own: &[_] = if path == "services/console" { &["console", "shop"] } else { &[] };
        let tools =
            ["kit/testing", "books", "cli", "console", "shop", "cli/supervisor", "outside", "tests", "tests/model"];
        for tool in tools.into_iter().filter(|tool| !own.contains(tool)) {
            assert!(!dependencies.contains(tool), "{path} depends on {tool} outside its tests");
        }
    }
}

/// Lines of code in a source, but for the tests at its end: what has to be read, and not what helps to.
fn code(source: &Path) -> usize {
    let text = fs::read_to_string(source).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().map(str::trim);
    code.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

/// A room that has grown so large is two: with comments it is about 4,000 lines.
#[test]
fn no_crate_of_the_kit_is_longer_than_can_be_read_and_each_says_what_it_is_for() {
    const LONGEST: usize = 4_050;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for kit in edges().keys().filter(|path| path.starts_with("kit/")) {
        let sources = sources(&root.join(kit).join("src"));
        let is_test = |source: &Path| {
            let parts = source.components().map(|part| part.as_os_str());
            parts.into_iter().any(|part| part == "tests" || part == "tests.rs" || part == "fuzzed.rs")
        };
        let lines: usize =
            sources.iter().filter(|path| !is_test(path.strip_prefix(&root).unwrap())).map(|path| code(path)).sum();
        assert!((1..=LONGEST).contains(&lines), "{kit} has {lines} lines");
        let (lib, readme) = (root.join(kit).join("src/lib.rs"), "#![doc = include_str!(\"../README.md\")]");
        assert!(fs::read_to_string(lib).unwrap().contains(readme), "{kit} does not say what it is for");
    }
}
