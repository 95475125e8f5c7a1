//! Whatever lists the services lists those there are. Compose's file and the chart are looked at in `compose` and `chart`.

use std::collections::BTreeSet;

use supervisor::services;
use tradewind_broker::Retention;
use tradewind_mesh::Policy;

use crate::programs::project;

fn text_of(path: &str) -> String {
    std::fs::read_to_string(project(path)).unwrap()
}

fn programs() -> BTreeSet<String> {
    services::programs().into_iter().map(str::to_owned).collect()
}

#[test]
fn each_context_of_the_contracts_has_a_service() {
    let policy = Policy::new(&contracts::CONTRACT);
    assert_eq!(policy.contexts(), &services::names().map(str::to_owned).into());
}

#[test]
fn each_service_has_a_folder_and_each_folder_is_a_service() {
    let folders = std::fs::read_dir(project("services")).unwrap();
    let folders: BTreeSet<_> = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, programs());
}

#[test]
fn the_readme_says_where_each_service_listens() {
    let (all, readme) = (services::all(), text_of("README.md"));
    let ports: Vec<_> = all.iter().map(|service| (service.grpc_port(), service.admin_port())).collect();
    let next = |one: &(u16, u16), next: &(u16, u16)| (one.0 + 1, one.1 + 1) == *next;
    assert!(ports.is_sorted_by(next), "{ports:?} follow one another");
    for service in all.iter().chain(&services::edges()) {
        let (name, port, admin) = (service.name(), service.grpc_port(), service.admin_port());
        let row = format!("| [{name}](services/{name}) | {port} | {admin} | ");
        assert!(readme.lines().any(|line| line.starts_with(&row)), "{row} is not there");
    }
}

#[test]
fn the_chart_lets_those_call_the_outside_who_do() {
    let values = text_of("helm/tradewind/values.yaml");
    let (mut service, mut callers) = ("", BTreeSet::new());
    for line in values.lines() {
        match line.strip_prefix("  ").and_then(|line| line.strip_suffix(':')) {
            Some(name) if !name.starts_with(' ') => service = name,
            _ if line == "    callsOutside: true" => drop(callers.insert(service)),
            _ => {}
        }
    }
    assert_eq!(callers, services::callers_of_the_outside().into_iter().collect());
}

/// A broker without room for the stream of one service more would make none of it.
#[test]
fn brokers_have_room_for_what_every_service_may_keep_there() {
    let streams = i64::try_from(services::names().len()).unwrap() * Retention::default().max_bytes;
    for (file, before, after) in [
        ("cli/src/local/broker.rs", "max_file_store: ", "GB"),
        ("deploy/nats.conf", "max_file_store: ", "GB"),
        ("helm/tradewind/values.yaml", "storage: {size: ", "Gi"),
    ] {
        let text = text_of(file);
        let room = text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).unwrap().0;
        let room = room.parse::<i64>().unwrap() << 30;
        // What is shown to whoever is outside takes an eighth of it.
        assert!(room > streams + streams / 8, "{file}: there is room for {room} bytes of {streams}");
    }
}
