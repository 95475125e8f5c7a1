//! More pods, fewer pods, and which of them take the calls.

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::tradewind::catalog::v1::ListProductsRequest;
use futures::future::join_all;
use tradewind_testing::eventually;

use crate::cluster::PATIENCE;
use crate::cluster::release::Release;

/// Connections of which each goes to some pod.
const CONNECTIONS: u32 = 300;

pub(super) async fn replicas(release: &mut Release) -> String {
    let act = async |release: &Release| {
        for replicas in [3, 1, 2] {
            release.upgrade(&[&format!("defaults.replicas={replicas}")]).await;
        }
    };
    release.in_use(act).await.1
}

pub(super) async fn autoscaling(release: &mut Release) -> String {
    let act = async |release: &Release| {
        release.upgrade(&["services.catalog.replicas=3"]).await;
        let settings = ["enabled=true", "minReplicas=2", "maxReplicas=4", "targetCpu=50"];
        let settings = settings.map(|setting| format!("services.catalog.autoscaling.{setting}"));
        let settings = settings.each_ref().map(String::as_str);
        let switched = release.upgrade(&settings);
        let ((), least) = futures::join!(switched, fewest_while(release, "catalog", Duration::from_secs(20)));
        let most = eventually(PATIENCE, "pods follow the load", async || {
            let scaler = release.kube.get(release.namespace, &format!("hpa {}", release.object("catalog"))).await;
            let wanted = scaler["status"]["desiredReplicas"].as_u64().unwrap_or_default();
            let seen = scaler["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"].clone();
            if wanted > 3 && !seen.is_null() {
                Ok(format!("{wanted} pods at {seen} %"))
            } else {
                Err(scaler["status"].to_string())
            }
        })
        .await;
        release.upgrade(&[]).await;
        assert!(least >= 3, "{least} pods were left while it was switched on");
        most
    };
    let (most, said) = release.in_use(act).await;
    format!("{most}; {said}")
}

/// The fewest pods of a service that a Deployment asked for within a time.
async fn fewest_while(release: &Release, service: &str, lasting: Duration) -> u64 {
    let (mut fewest, end) = (u64::MAX, tokio::time::Instant::now() + lasting);
    while tokio::time::Instant::now() < end {
        let deployment = release.kube.get(release.namespace, &format!("deployment {}", release.object(service))).await;
        fewest = fewest.min(deployment["spec"]["replicas"].as_u64().unwrap_or_default());
    }
    fewest
}

pub(super) async fn drain(release: &mut Release) -> String {
    let act = async |release: &Release| {
        let nodes = release.kube.kubectl(&["get", "nodes", "--output", "name"]).await;
        let selector =
            format!("--pod-selector=app.kubernetes.io/component=catalog,app.kubernetes.io/instance={}", release.name);
        // There is no other node for a successor, so the second pod has to stay.
        let drain = ["drain", &nodes, &selector, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=20s"];
        let refused = release.kube.try_kubectl(&drain).await.expect_err("both pods went");
        assert!(refused.contains("disruption budget"), "{refused}");
        let ready = release.pods_of("catalog").await.into_iter().filter(|pod| pod.ready).count();
        release.kube.kubectl(&["uncordon", &nodes]).await;
        release.settled().await;
        ready
    };
    let (ready, said) = release.in_use(act).await;
    format!("{ready} of 2 pods stayed; {said}")
}

pub(super) async fn canary(release: &mut Release) -> String {
    release.installed().await;
    release.upgrade(&["services.catalog.replicas=4", "services.catalog.canary.weight=25"]).await;
    let before = calls(release).await;
    for _ in 0..CONNECTIONS {
        let person = release.visitor().await.person();
        let listed = person.catalog().list_products(ListProductsRequest::default()).await;
        listed.unwrap_or_else(|status| panic!("{status:?}"));
    }
    let taken: BTreeMap<_, _> = calls(release)
        .await
        .into_iter()
        .map(|(pod, calls)| {
            let earlier = before.get(&pod).copied().unwrap_or_default();
            (pod, calls - earlier)
        })
        .collect();
    let all: f64 = taken.values().sum();
    let canary: f64 = taken.iter().filter(|(pod, _)| pod.contains("canary")).map(|(_, calls)| calls).sum();
    let share = canary / all * 100.0;
    release.upgrade(&[]).await;
    assert!((15.0..35.0).contains(&share), "{share:.0} %: {taken:?}");
    format!("{share:.0} % of {CONNECTIONS} calls over connections of their own")
}

/// How many products each pod of the catalogue was asked for.
async fn calls(release: &Release) -> BTreeMap<String, f64> {
    let http = tradewind_runtime::direct().build().unwrap();
    let asked = release.pods_of("catalog").await.into_iter().map(async |pod| {
        let metrics =
            http.get(format!("http://{}:7200/metrics", pod.address)).send().await.unwrap().text().await.unwrap();
        let calls = metrics
            .lines()
            .filter(|line| line.starts_with("grpc_server_call_started_total") && line.contains("ListProducts"));
        let calls = calls.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum();
        (pod.name, calls)
    });
    join_all(asked).await.into_iter().collect()
}
