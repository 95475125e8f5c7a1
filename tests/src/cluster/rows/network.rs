//! Who can connect to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use futures::future::join_all;
use serde_json::{Value, json};
use supervisor::services;
use tradewind_mesh::Policy;
use tradewind_runtime::{BROKER_INIT, broker_users};
use tradewind_testing::eventually;

use crate::cluster::PATIENCE;
use crate::cluster::kube::Pod;
use crate::cluster::release::Release;
use crate::project::project;

/// Who may call or read each service: written from the contracts, which a test of the chart compares it with.
const CONTRACTS: &str = "helm/tradewind/files/contracts.json";
/// Who has a pod only for a while: one is made, with its labels and nothing in it.
const PASSING: [&str; 1] = ["operator"];
/// A pod that is nobody's.
const STRANGER: &str = "stranger";

/// One component's connection to another's port.
type Edge = (String, String, u16);

pub(super) async fn edges(release: &mut Release) -> String {
    release.installed().await;
    for name in PASSING {
        release.kube.apply(&idle_pod(release, name)).await;
    }
    release.kube.apply(&idle_pod(release, STRANGER)).await;
    release.settled().await;
    let pods = release.pods().await;
    let expected = expected(&pods);
    // What enforces policies learns of a new pod a moment later.
    let tried = eventually(PATIENCE, "the connections are the contracts'", async || {
        let (measured, tried) = measured(&pods).await;
        let differing: Vec<_> = measured.symmetric_difference(&expected).collect();
        if differing.is_empty() { Ok(tried) } else { Err(format!("{differing:?}")) }
    })
    .await;
    let names = PASSING.iter().chain([&STRANGER]).map(|name| format!("idle-{name}"));
    for name in names {
        release
            .kube
            .kubectl(&["--namespace", release.namespace, "delete", "pod", &name, "--grace-period=0", "--force"])
            .await;
    }
    let (edges, pods) = (expected.len(), pods.len());
    format!("{pods} pods, {tried} connections tried: {edges} edges between components, all of them the contracts'")
}

/// The ports of each component that somebody listens at.
fn ports(component: &str) -> &'static [u16] {
    match component {
        "nats" => &[4222, 6222, 8222],
        "postgres" => &[5432],
        "outside" => &[7300],
        _ if services::edges().iter().any(|edge| edge.name() == component) => &[8080, 7200],
        _ if services::names().contains(&component) => &[7100, 7200],
        _ => &[],
    }
}

/// What the contracts, and what the services stand on, need.
fn expected(pods: &[Pod]) -> BTreeSet<Edge> {
    let policy = Policy::new(&contracts::CONTRACT);
    let there: BTreeSet<_> = pods.iter().map(|pod| pod.component.as_str()).collect();
    let edge = |from: &str, to: &str, port: u16| (from.to_owned(), to.to_owned(), port);
    let mut edges = BTreeSet::new();
    let contracts: Value = serde_json::from_slice(&std::fs::read(project(CONTRACTS)).unwrap()).unwrap();
    for service in services::names() {
        let callers = contracts["services"][service]["callers"].as_array().expect("a service of the contracts");
        edges.extend(callers.iter().map(|caller| edge(caller.as_str().unwrap(), service, 7100)));
        edges.insert(edge(service, "postgres", 5432));
    }
    let users: Value = serde_json::from_str(&broker_users(&policy, "tradewind.local").unwrap()).unwrap();
    for user in users["authorization"]["users"].as_array().unwrap() {
        let name = user["user"].as_str().unwrap().rsplit('/').next().unwrap();
        edges.insert(edge(name, "nats", 4222));
    }
    assert!(edges.contains(&edge(BROKER_INIT, "nats", 4222)));
    edges.insert(edge("nats", "nats", 6222));
    // Whoever is outside comes in, and so does who tests that.
    edges.extend(["operator", STRANGER].map(|from| edge(from, services::gateway().name(), 8080)));
    edges.insert(edge(STRANGER, services::console().name(), 8080));
    edges.extend(services::callers_of_the_outside().into_iter().map(|caller| edge(caller, "outside", 7300)));
    edges.retain(|(from, to, _)| there.contains(from.as_str()) && there.contains(to.as_str()));
    edges
}

/// What connects, tried from within each pod; and how many connections were tried.
async fn measured(pods: &[Pod]) -> (BTreeSet<Edge>, usize) {
    let mut targets = BTreeMap::<SocketAddr, &Pod>::new();
    for pod in pods {
        let address = pod.address.parse().unwrap();
        targets.extend(ports(&pod.component).iter().map(|port| (SocketAddr::new(address, *port), pod)));
    }
    let tried = pods.iter().map(async |from| {
        // A pod reaches itself whatever a policy says.
        let others: Vec<_> = targets.iter().filter(|(_, to)| to.uid != from.uid).map(|(address, _)| *address).collect();
        let reached = from.reaches(&others).await;
        let edge = |address: &SocketAddr| (from.component.clone(), targets[address].component.clone(), address.port());
        (reached.iter().map(edge).collect::<Vec<_>>(), others.len())
    });
    let tried = join_all(tried).await;
    let count = tried.iter().map(|(_, count)| count).sum();
    (tried.into_iter().flat_map(|(edges, _)| edges).collect(), count)
}

/// A pod with the labels of a component, in which nothing happens.
fn idle_pod(release: &Release, component: &str) -> Value {
    let name = format!("idle-{component}");
    let mut labels = json!({ "app.kubernetes.io/component": component });
    if component != STRANGER {
        labels["app.kubernetes.io/name"] = json!("tradewind");
        labels["app.kubernetes.io/instance"] = json!(release.name);
    }
    let nothing = json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": { "drop": ["ALL"] },
    });
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "namespace": release.namespace, "labels": labels },
        "spec": {
            "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "seccompProfile": { "type": "RuntimeDefault" },
            },
            "containers": [{
                "name": "idle", "image": "localhost/idle:1", "imagePullPolicy": "Never", "securityContext": nothing,
            }],
        },
    })
}
