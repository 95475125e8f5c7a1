//! Pods that die while orders flow.

use supervisor::services;

use crate::cluster::kube::Pod;
use crate::cluster::release::Release;

pub(super) async fn services(release: &mut Release) -> String {
    let (crashes, said) = release.in_use(crash_services).await;
    format!("{crashes} crashes; {said}")
}

/// One pod after the other, each when all are ready again; returns how many.
async fn crash_services(release: &Release) -> usize {
    let mut crashes = 0;
    for service in services::names() {
        for pod in release.pods_of(service).await {
            pod.crash();
            crashes += 1;
            release.recovered(&pod).await;
        }
    }
    crashes
}

pub(super) async fn broker(release: &mut Release) -> String {
    let act = async |release: &Release| {
        let servers = release.pods_of("nats").await;
        servers[0].crash();
        release.recovered(&servers[0]).await;
        servers.iter().for_each(Pod::crash);
        release.recovered(&servers[0]).await;
        delete(release, "nats").await;
    };
    release.in_use(act).await.1
}

pub(super) async fn database(release: &mut Release) -> String {
    let act = async |release: &Release| {
        let server = release.pods_of("postgres").await.remove(0);
        server.crash();
        release.recovered(&server).await;
        delete(release, "postgres").await;
    };
    release.in_use(act).await.1
}

/// Deletes one pod of a component at once, as a node does that is lost.
async fn delete(release: &Release, component: &str) {
    let pod = release.pods_of(component).await.remove(0);
    let arguments = ["--namespace", release.namespace, "delete", "pod", &pod.name, "--grace-period=0", "--force"];
    release.kube.kubectl(&arguments).await;
    release.recovered(&pod).await;
}
