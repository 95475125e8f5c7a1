//! What must not be possible.

use crate::cluster::release::Release;

pub(super) async fn pods(release: &mut Release) -> String {
    release.installed().await;
    let (mut processes, mut excesses) = (0, Vec::new());
    for pod in release.pods().await {
        let of_pod = pod.processes();
        assert!(!of_pod.is_empty(), "{} has no process", pod.name);
        processes += of_pod.len();
        let found = of_pod.iter().flat_map(crate::cluster::sight::Process::excesses);
        excesses.extend(found.map(|excess| format!("{}: {excess}", pod.name)));
    }
    assert!(excesses.is_empty(), "{}", excesses.join("; "));
    format!("{processes} processes, as the kernel says")
}

pub(super) async fn sizes(release: &mut Release) -> String {
    release.installed().await;
    let mut said = Vec::new();
    for setting in ["postgres.internal.storage.size=11Gi", "nats.internal.storage.size=24Gi"] {
        let refused = release.try_upgrade(&[], &[setting]).await.expect_err("a size that cannot be changed was taken");
        assert!(refused.contains("leave storage.size at"), "{refused}");
        said.push(setting);
    }
    let status = release.kube.helm(&["status", release.name, "--namespace", release.namespace]).await.unwrap();
    assert!(status.contains("STATUS: deployed"), "{status}");
    format!("refused before anything was changed: {}", said.join(", "))
}
