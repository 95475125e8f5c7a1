//! A release as in production, beside what its values ask for: an authority that cert-manager signs for, and a broker and databases
//! that are no part of it.

use serde_json::Value;
use supervisor::services;
use tradewind_mesh::Policy;
use tradewind_runtime::broker_users;
use tradewind_testing::{eventually, scratch};

use crate::cluster::PATIENCE;
use crate::cluster::release::{Release, TIMEOUT, decoded};
use crate::outside_world::OutsideWorld;

/// The second sets what the first marks.
const VALUES: [&str; 2] = ["helm/tradewind/values-production.yaml", "tests/cluster/production.yaml"];
const NEIGHBOURS: &str = "tests/cluster/neighbours";
/// Of the values.
const TRUST_DOMAIN: &str = "shop.example.org";
/// Of the values, too: an address beyond the cluster, at a port that the policies let services reach.
const OUTSIDE: &str = "203.0.113.1:443";

pub(super) async fn values(trial: &mut Release) -> String {
    let outside = OutsideWorld::listen(OUTSIDE.parse().unwrap()).await;
    let mut release = Release::new(trial.kube.clone(), "shop", "production", &VALUES).calling(OUTSIDE);
    wipe(&mut release).await;
    welcome(&release).await;
    release.installed().await;
    let scalers = all_scale(&release).await;
    let (issued, said) = release.in_use(renew).await;
    let manifest = release.kube.helm(&["get", "manifest", release.name, "--namespace", release.namespace]).await;
    let objects = release.kube.would_take(release.namespace, &manifest.unwrap()).await;
    let budgets = release.kube.get(release.namespace, "poddisruptionbudgets").await;
    let guarded = budgets["items"].as_array().unwrap().iter().filter(|budget| budget["status"]["expectedPods"] == 2);
    // There is one pod of the console.
    assert_eq!(guarded.count(), services::programs().len() - 1, "a budget for the two pods of each service: {budgets}");
    only_callers_reach_outside(&release).await;
    let scraped = scraped(&release).await;
    assert_eq!(scraped, services::programs().len(), "Services that the ServiceMonitor selects");
    wipe(&mut release).await;
    outside.stop().await;
    format!("{objects} objects, {issued} certificates, {scalers} autoscalers, {scraped} services to scrape; {said}")
}

/// Makes what the release finds when it comes.
async fn welcome(release: &Release) {
    let policy = Policy::new(&contracts::CONTRACT);
    let folder = scratch();
    let users = folder.path().join("users.json");
    std::fs::write(&users, broker_users(&policy, TRUST_DOMAIN).unwrap()).unwrap();
    release.kube.restricted(release.namespace).await;
    let users = format!("users={}", users.display());
    let files =
        [&users, "contracts=helm/tradewind/files/contracts.json", "databases=helm/tradewind/files/databases.sh"];
    let mut arguments = vec!["install", "neighbours", NEIGHBOURS, "--namespace", release.namespace];
    arguments.extend(["--wait", "--timeout", TIMEOUT, "--values", "helm/tradewind/values.yaml"]);
    arguments.extend(release.values.iter().flat_map(|file| ["--values", file]));
    arguments.extend(files.iter().flat_map(|file| ["--set-file", file]));
    release.kube.helm(&arguments).await.unwrap_or_else(|error| panic!("helm install neighbours: {error}"));
}

async fn wipe(release: &mut Release) {
    // Not there is as good.
    let _ = release.kube.helm(&["uninstall", "neighbours", "--namespace", release.namespace, "--wait"]).await;
    release.wipe().await;
}

/// Has the services' certificates issued anew, and returns when every pod serves what is issued; how many cert-manager keeps.
async fn renew(release: &Release) -> usize {
    serve_what_is_issued(release).await;
    for service in services::names() {
        let secret = release.object(&format!("{service}-tls"));
        release.kube.kubectl(&["--namespace", release.namespace, "delete", "secret", &secret]).await;
    }
    serve_what_is_issued(release).await;
    let certificates = release.kube.get(release.namespace, "certificates.cert-manager.io").await;
    let certificates = certificates["items"].as_array().unwrap();
    let waiting: Vec<_> = certificates.iter().filter(|certificate| !is(certificate, "Ready")).collect();
    assert!(waiting.is_empty(), "not issued: {waiting:?}");
    certificates.len()
}

async fn serve_what_is_issued(release: &Release) {
    for service in services::names() {
        let secret = release.object(&format!("{service}-tls"));
        let asked = ["--namespace", release.namespace, "get", "secret", &secret, "--output", "json"];
        eventually(PATIENCE, &format!("{service} serves what cert-manager issued"), async || {
            let secret: Value = serde_json::from_str(&release.kube.try_kubectl(&asked).await?).unwrap();
            let issued = String::from_utf8(decoded(&secret["data"]["tls.crt"])).unwrap();
            let served = release.served(service).await;
            let other = served.iter().filter(|certificate| !issued.starts_with(certificate.trim())).count();
            if other == 0 { Ok(()) } else { Err(format!("{other} pods of {} serve another", served.len())) }
        })
        .await;
    }
}

/// Returns when every autoscaler has seen what its pods need, and there are as many as there should be; how many they are.
async fn all_scale(release: &Release) -> usize {
    let scalers = eventually(PATIENCE, "every autoscaler sees its pods", async || {
        let scalers = release.kube.get(release.namespace, "horizontalpodautoscalers").await;
        let scalers = scalers["items"].as_array().unwrap().clone();
        let blind: Vec<_> =
            scalers.iter().filter(|scaler| !is(scaler, "ScalingActive")).map(|scaler| &scaler["status"]).collect();
        if blind.is_empty() { Ok(scalers.len()) } else { Err(format!("{blind:?}")) }
    })
    .await;
    release.settled().await;
    scalers
}

/// The address is any, as those of the internet are: the policies tell whose pods may leave.
async fn only_callers_reach_outside(release: &Release) {
    for pod in release.pods().await.into_iter().filter(|pod| services::names().contains(&&*pod.component)) {
        let reached = pod.reaches(&[OUTSIDE.parse().unwrap()]).await;
        let calls = services::callers_of_the_outside().contains(&&*pod.component);
        assert_eq!(!reached.is_empty(), calls, "whether {} reaches {OUTSIDE}", pod.name);
    }
}

/// How many Services the ServiceMonitor selects.
async fn scraped(release: &Release) -> usize {
    let monitor = release.kube.get(release.namespace, "servicemonitors.monitoring.coreos.com shop-tradewind").await;
    let labels = monitor["spec"]["selector"]["matchLabels"].as_object().unwrap();
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect();
    let services = release.kube.get(release.namespace, &format!("services --selector {}", labels.join(","))).await;
    services["items"].as_array().unwrap().len()
}

/// Whether a condition of an object holds.
fn is(object: &Value, condition: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|found| found["type"] == condition && found["status"] == "True")
}
