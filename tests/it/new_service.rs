//! What `scripts/new-service` makes, as far as nothing has to be compiled for it: `scripts/new-service-test` goes on from here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use supervisor::services;
use tempfile::TempDir;
use tradewind_testing::scratch;

use crate::programs::{binary, project, run, tool};

/// All that is read and written.
const SOURCES: [&str; 15] = [
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "buf.yaml",
    "rustfmt.toml",
    "cli/supervisor",
    "clients/go/cmd",
    "clients/python/read.py",
    "deploy",
    "fuzz/Cargo.toml",
    "fuzz/replay.rs",
    "fuzz/src",
    "helm",
    "proto",
    "services",
];

/// A copy of the sources.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let folder = scratch();
        let mut copy = Command::new("cp");
        copy.args(["--recursive", "--parents"]).args(SOURCES).args(["scripts/new-service", "scripts/template"]);
        run(copy.arg(folder.path()).current_dir(project("."))).unwrap();
        Self(folder)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    /// Runs a program in the copy.
    fn run(&self, program: &Path, arguments: &[&str]) -> Result<String, String> {
        run(Command::new(program).args(arguments).current_dir(self.0.path()))
    }

    fn new_service(&self, arguments: &[&str]) -> Result<String, String> {
        self.run(&self.path("scripts/new-service"), arguments)
    }

    /// Every file with its content.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.clone(), std::fs::read(path).unwrap());
                }
            }
        }
        found
    }

    /// The contracts are as all are, and nobody who was built against those of the last release is broken.
    fn contracts_hold(&self) {
        let buf = tool("buf");
        self.run(&buf, &["lint"]).unwrap();
        self.run(&buf, &["build", "--as-file-descriptor-set", "--exclude-source-info", "-o", "now.binpb"]).unwrap();
        let released = project("released/contracts.binpb");
        let now = self.path("now.binpb");
        let between = ["--from".as_ref(), released.as_os_str(), "--to".as_ref(), now.as_os_str()];
        run(Command::new(binary("tradewind")).args(["contracts", "compare"]).args(between)).unwrap();
    }
}

#[test]
fn a_name_that_is_taken_or_cannot_be_one_changes_nothing() {
    let copy = Copy::new();
    let before = copy.files();
    for (name, why) in [
        ("Returns", "has 2 to 16 of a-z and 0-9"),
        ("re-turns", "has 2 to 16 of a-z and 0-9"),
        ("re_turns", "has 2 to 16 of a-z and 0-9"),
        ("2nd", "has 2 to 16 of a-z and 0-9"),
        ("r", "has 2 to 16 of a-z and 0-9"),
        ("recommendations01", "has 2 to 16 of a-z and 0-9"),
        ("../returns", "has 2 to 16 of a-z and 0-9"),
        ("type", "a word of a language"),
        ("class", "a word of a language"),
        ("lambda", "a word of a language"),
        ("postgres", "somebody else"),
        ("operator", "somebody else"),
        ("shipping", "a service 'shipping' already"),
        ("money", "contracts of 'money' already"),
        ("serde", "a crate 'serde' already"),
        ("jaeger", "a 'jaeger' already"),
        ("orders", "a route /v1/orders already"),
    ] {
        let told = copy.new_service(&[name]).unwrap_err();
        assert!(told.contains(why), "{name}: {told}");
    }
    for wrong in [&[][..], &[""], &["returns", "claims"], &["--fast", "returns"]] {
        assert!(copy.new_service(wrong).unwrap_err().starts_with("Usage: "), "{wrong:?}");
    }
    assert!(copy.new_service(&["--help"]).unwrap().starts_with("Usage: "));
    assert!(copy.new_service(&["--dry-run", "returns"]).unwrap().contains("services/returns/src/lib.rs"));
    assert!(copy.files() == before, "nothing has changed");

    std::fs::write(copy.path("deploy/prometheus.yml"), "scrape_configs: []\n").unwrap();
    let before = copy.files();
    assert!(copy.new_service(&["returns"]).unwrap_err().contains("deploy/prometheus.yml is not as it was"));
    assert!(copy.files() == before, "nothing has changed");
}

#[test]
fn two_services_are_made_one_after_the_other_each_with_ports_of_its_own() {
    let copy = Copy::new();
    let last = services::all().iter().map(|service| service.grpc_port()).max().unwrap();
    for (name, port) in [("returns", last + 1), ("claims", last + 2)] {
        let told = copy.new_service(&[name]).unwrap();
        let said: Vec<_> = told.split_whitespace().filter(|word| word.contains(name) && word.contains('/')).collect();
        assert!(said.iter().all(|path| path.contains("…") || copy.path(path).exists()), "{told}");
        let (composed, admin) = (composed(&copy, name), port + 100);
        assert_eq!(composed["environment"]["TRADEWIND_GRPC_ADDR"], format!("0.0.0.0:{port}"));
        assert_eq!(composed["environment"]["TRADEWIND_ADMIN_ADDR"], format!("0.0.0.0:{admin}"));
        assert!(copy.text(&format!("services/{name}/src/lib.rs")).contains(&format!(".ports({port}, {admin})")));
        assert!(copy.text("deploy/prometheus.yml").contains(&format!(" {name}:{admin}")));
        assert!(copy.text("README.md").contains(&format!("| [{name}](services/{name}) | {port} | {admin} | ")));
    }
    copy.contracts_hold();
    for (path, content) in copy.files() {
        let text = String::from_utf8_lossy(&content);
        let made = path.to_str().unwrap().contains("returns");
        assert!(!made || !text.to_lowercase().contains("sample"), "{} is not its own", path.display());
        if made && path.extension().is_some_and(|extension| extension == "rs") {
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

/// A service as Compose reads it.
fn composed(copy: &Copy, name: &str) -> Value {
    let text = copy.text("deploy/.env.example");
    let variables = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let mut compose = Command::new(tool("compose"));
    compose.args(["--format", "json", "compose.yaml"]).current_dir(copy.path("deploy")).env_clear().envs(variables);
    let mut model: Value = serde_json::from_str(&run(&mut compose).unwrap()).unwrap();
    model["services"][name].take()
}

#[test]
fn the_chart_runs_a_new_service_once_it_knows_its_contract() {
    let copy = Copy::new();
    copy.new_service(&["returns"]).unwrap();
    let path = copy.path("helm/tradewind/files/contracts.json");
    let mut contracts: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    contracts["services"]["returns"] = json!({ "callers": ["gateway", "operator"] });
    std::fs::write(path, contracts.to_string()).unwrap();
    let rendered = copy.run(
        &tool("helm"),
        &[
            "template",
            "shop",
            "helm/tradewind",
            "--kube-version=1.30.0",
            "--values=helm/tradewind/values-production.yaml",
        ],
    );
    let rendered = rendered.unwrap();
    let objects = rendered.split("\n---\n").filter(|each| each.contains("\n  name: shop-tradewind-returns\n"));
    let objects: Vec<_> = objects.collect();
    for kind in ["Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy", "HorizontalPodAutoscaler"] {
        let is = |object: &&&str| object.lines().any(|line| line == format!("kind: {kind}"));
        assert_eq!(objects.iter().filter(is).count(), 1, "{kind}");
    }
}

#[test]
fn a_reaction_with_its_compensation_is_ten_edits() {
    let copy = Copy::new();
    copy.new_service(&["returns"]).unwrap();
    let patch = project("tests/it/new_service/reaction.patch");
    let edits = std::fs::read_to_string(&patch).unwrap().lines().filter(|line| line.starts_with("+++ ")).count();
    assert!((1..=10).contains(&edits), "{edits} files are made or changed");
    // Of a repository of its own, wherever the copy is.
    copy.run("git".as_ref(), &["init", "--quiet"]).unwrap();
    copy.run("git".as_ref(), &["apply", patch.to_str().unwrap()]).unwrap();
    copy.contracts_hold();
}

#[test]
fn what_to_add_where_is_told_in_ten_lines_each() {
    let text = std::fs::read_to_string(project("docs/adding.md")).unwrap();
    let lists: BTreeMap<_, _> = text.split("\n## ").skip(1).filter_map(|list| list.split_once('\n')).collect();
    for thing in ["A call", "An event", "A reaction", "A timer", "A call to the outside", "A service"] {
        let lines = lists[thing].lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit() || c == ' '));
        assert!((1..=10).contains(&lines.count()), "{thing}");
    }
}
