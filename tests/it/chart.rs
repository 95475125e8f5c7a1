//! The chart against what it is made from: the contracts, the broker's permissions, the metrics that services have.
//!
//! `scripts/chart` renders it and holds the rendered objects against Kubernetes and against the generated files that are compared here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use contracts::reactions::REACTIONS;
use contracts::tables::{CONTEXTS, METHODS};
use contracts::tradewind::options::v1::Audience;
use serde_json::{Value, json};
use tradewind_broker::BrokerPermissions;
use tradewind_mesh::{Policy, SpiffeId};
use tradewind_telemetry::names::{
    DB_CLIENT_CONNECTION_COUNT, DB_CLIENT_CONNECTION_MAX, DB_CLIENT_CONNECTION_POOL_NAME, DB_CLIENT_CONNECTION_STATE,
    DB_CLIENT_CONNECTION_WAIT_TIME, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE,
};

use crate::contracts_hold::context_of;
use crate::programs::project;
use system_tests::project::{run, tool};

/// `UPDATE_GOLDEN=1 cargo test -p system-tests chart` writes the files anew after a wanted change of the contracts.
#[test]
fn the_chart_knows_the_contracts() {
    let policy = Policy::new(&contracts::CONTRACT);
    let users = tradewind_runtime::broker_users(&policy, "tradewind.local").unwrap();
    let files = [
        ("contracts.json", contracts_of_the_chart()),
        ("broker-users.json", users),
        ("broker-readers.json", grants_of_the_chart()),
    ];
    for (file, content) in files {
        let path = project("helm/tradewind/files").join(file);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &content).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), content, "{} is out of date", path.display());
    }
}

#[test]
fn a_reader_of_the_chart_may_what_the_command_says() {
    let rendered = run(Command::new(tool("helm"))
        .args(["template", "shop", "helm/tradewind", "--kube-version=1.30.0", "--show-only=templates/nats/nats.yaml"])
        .args(["--set-json", r#"readers={"reporting": ["payment", "ordering"]}"#])
        .current_dir(project("")))
    .unwrap();
    let users = rendered.lines().find(|line| line.trim().starts_with("{\"authorization\"")).expect("users.json");
    let users: Value = serde_json::from_str(users).unwrap();
    let reader = SpiffeId::reader("tradewind.local", "reporting", ["ordering", "payment"]).unwrap();
    let policy = Policy::new(&contracts::CONTRACT).with_readers([reader]);
    let expected = tradewind_runtime::broker_users(&policy, "tradewind.local").unwrap();
    assert_eq!(users, serde_json::from_str::<Value>(&expected).unwrap());
}

/// What a reader may do at the broker for each context that it is granted; the chart puts its name where the file has another.
fn grants_of_the_chart() -> String {
    let grant = |context: &'static str| {
        let BrokerPermissions { publish, subscribe } = BrokerPermissions::of_reader("THE-READER", [context]);
        (context, json!({ "publish": publish, "subscribe": subscribe }))
    };
    let grants: BTreeMap<_, _> = CONTEXTS.iter().copied().map(grant).collect();
    format!("{:#}\n", json!(grants))
}

/// Every service with the workloads that may connect to it, because they may call it or read its events.
fn contracts_of_the_chart() -> String {
    let mut services: BTreeMap<&str, BTreeSet<&str>> = CONTEXTS.iter().map(|name| (*name, BTreeSet::new())).collect();
    for method in METHODS {
        match services.get_mut(context_of(method.path)) {
            Some(of_service) => of_service.extend(method.callers),
            // A package that is no context's is served by every service.
            None => services.values_mut().for_each(|of_service| of_service.extend(method.callers)),
        }
    }
    for reaction in REACTIONS {
        services.get_mut(context_of(reaction.event)).unwrap().insert(reaction.context);
    }
    let services: BTreeMap<_, _> =
        services.into_iter().map(|(name, callers)| (name, json!({ "callers": callers }))).collect();
    format!("{:#}\n", json!({ "offered": offered(), "services": services }))
}

/// The gRPC services with a method that is for somebody outside.
fn offered() -> BTreeSet<&'static str> {
    let outside = |audience| matches!(audience, Audience::Public | Audience::Customer | Audience::Staff);
    let methods =
        METHODS.iter().filter(|method| outside(method.audience) && CONTEXTS.contains(&context_of(method.path)));
    methods.filter_map(|method| Some(method.path.trim_start_matches('/').split_once('/')?.0)).collect()
}

/// Alerts, dashboards and the runbook ask for no series that no program writes.
#[test]
fn every_metric_that_somebody_asks_for_exists() {
    let exist = instruments();
    let mut asked = BTreeSet::new();
    let files = project("helm/tradewind/files");
    let dashboards = std::fs::read_dir(files.join("dashboards")).unwrap().map(|entry| entry.unwrap().path());
    for file in dashboards.chain([files.join("alerts.yaml"), project("docs/runbook.md")]) {
        asked.extend(names(&std::fs::read_to_string(file).unwrap()));
    }
    assert!(asked.len() > 20, "{asked:?}");
    let unknown: Vec<_> = asked.iter().filter(|name| !exist.contains(instrument_of(name))).collect();
    assert!(unknown.is_empty(), "no instrument writes {unknown:?}; there are {exist:?}");
}

/// The names of series without what the exporter appends to their instrument's.
fn instrument_of(series: &str) -> &str {
    ["_bucket", "_count", "_sum", "_total", "_seconds"]
        .iter()
        .fold(series, |name, suffix| name.trim_end_matches(suffix))
}

/// How the names of our instruments, and of gRPC's, HTTP's and the process's and their labels, begin in the sources.
const OURS: [&str; 4] = ["tradewind_", "grpc.", "http.", "process."];

/// What the programs' sources call their instruments.
fn instruments() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let rooms = std::fs::read_dir(project("kit")).unwrap().map(|room| room.unwrap().path());
    let rooms = rooms.collect::<Vec<_>>().into_iter();
    let kit = rooms.clone().map(|room| room.join("src"));
    for folder in kit.chain([project("services"), project("console/src")]) {
        each_source(&folder, &mut |text| {
            let quoted =
                text.split('"').skip(1).step_by(2).filter(|text| OURS.iter().any(|ours| text.starts_with(ours)));
            found.extend(quoted.map(|name| name.replace('.', "_")));
        });
    }
    // Labels whose names are the conventions'.
    found.extend([HTTP_ROUTE, HTTP_RESPONSE_STATUS_CODE].map(|name| name.replace('.', "_")));
    // What is told of connections to the database is called as the conventions have it.
    let conventions = [
        DB_CLIENT_CONNECTION_COUNT,
        DB_CLIENT_CONNECTION_MAX,
        DB_CLIENT_CONNECTION_WAIT_TIME,
        DB_CLIENT_CONNECTION_POOL_NAME,
        DB_CLIENT_CONNECTION_STATE,
    ];
    found.extend(conventions.map(|name| instrument_of(&name.replace('.', "_")).to_owned()));
    // What a room of the kit logs is asked for by the room's name.
    found.extend(rooms.map(|room| format!("tradewind_{}", room.file_name().unwrap().to_string_lossy())));
    // Those of a party outside are named after it.
    let parties = ["tradewind_payment_provider", "tradewind_shipping_carrier"];
    for party in parties {
        assert!(found.remove(party), "{party} is gone");
        found.extend(["requests", "request_duration"].map(|instrument| format!("{party}_{instrument}")));
    }
    found
}

fn each_source(folder: &Path, read: &mut impl FnMut(&str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_source(&path, read);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            read(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// The words of a text that are names of series, or of labels that are gRPC's, HTTP's or a database client's.
fn names(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let asked = |word: &&str| ["tradewind_", "grpc_", "http_", "db_client_"].iter().any(|ours| word.starts_with(ours));
    words.filter(asked).map(str::to_owned)
}
