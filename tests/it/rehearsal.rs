//! The chart as a cluster runs it: every program of its pods starts with exactly the command, environment and files that are rendered,
//! its probes pass, and the command of `helm test` succeeds.

mod cluster;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use supervisor::services;
use tradewind_mesh::Policy;
use tradewind_testing::block_on;

use self::cluster::Cluster;
use crate::programs::{binary, run};

#[test]
fn what_the_chart_starts_becomes_ready_and_passes_helm_test() {
    let mut cluster = Cluster::render("values-try.yaml");
    cluster.init();
    let _databases = cluster.databases();
    let _broker_init = cluster.start("broker-init");
    let names: Vec<_> = ["nats", "outside"].into_iter().chain(cluster.services()).map(str::to_owned).collect();
    let running: Vec<_> = names.iter().map(|name| (name, cluster.start(name))).collect();
    block_on(async {
        for (name, program) in &running {
            for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                cluster.probe(name, probe, program).await;
            }
        }
    });
    let told = cluster.complete(&cluster.container("order"), &[]).unwrap();
    assert!(told.ends_with("is CONFIRMED\n"), "{told}");
    cluster.operate(&["identity", "admin", "--email", "staff@example.com"]).unwrap();
    let policy = Policy::new(&contracts::CONTRACT);
    let read: BTreeSet<_> = cluster.services().into_iter().flat_map(|reader| policy.sources_of(reader)).collect();
    block_on(async {
        for (name, program) in running.iter().filter(|(name, _)| read.contains(*name)) {
            cluster.publishes(name, program).await;
        }
    });

    let before = cluster.api.secrets();
    cluster.init();
    assert_eq!(cluster.api.secrets(), before, "an upgrade keeps the authority and the passwords");
}

#[test]
fn every_service_gets_only_settings_it_has() {
    let cluster = Cluster::render("values-production.yaml");
    assert_eq!(cluster.services().len(), services::programs().len());
    for name in cluster.services() {
        let help = run(Command::new(binary(name)).arg("--help")).unwrap();
        for variable in cluster.environment(&cluster.container(name)).keys() {
            let setting = variable.strip_suffix("_FILE").unwrap_or(variable);
            assert!(help.contains(&format!(" {setting} ")), "{name} has no setting {setting}");
        }
    }
}

#[test]
fn a_pod_has_time_to_drain() {
    let cluster = Cluster::render("values-try.yaml");
    for name in cluster.services() {
        let container = cluster.container(name);
        let seconds = |value: &Value| value.as_u64().unwrap();
        let grace = cluster.environment(&container)["TRADEWIND_GRACE"].trim_end_matches('s').parse::<u64>().unwrap();
        let before = seconds(&container.content["lifecycle"]["preStop"]["sleep"]["seconds"]);
        assert!(seconds(&container.pod["terminationGracePeriodSeconds"]) > before + grace, "{name}");
    }
}
