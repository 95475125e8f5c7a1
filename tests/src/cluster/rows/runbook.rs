//! What an operator is told to type.

use crate::cluster::release::{ALWAYS, Release};
use crate::project::project;

const RUNBOOK: &str = "docs/runbook.md";
/// What is written of a release that has its values from a file of their owner's.
const THEIRS: &str = "helm/tradewind/values-production.yaml";

/// Types the runbook's commands for a cluster in its order, for a release that it calls `shop`.
pub(super) async fn commands(release: &mut Release) -> String {
    release.installed().await;
    // There is a revision to go back to, and a container that has ended.
    release.upgrade(&["telemetry.log=debug"]).await;
    for pod in release.pods_of("ordering").await {
        pod.crash();
        release.recovered(&pod).await;
    }
    let mut typed = 0;
    for line in commands_of(&std::fs::read_to_string(project(RUNBOOK)).unwrap()) {
        let line = line.replace("shop", release.name).replace(THEIRS, &release.file());
        let words: Vec<&str> = line.split_whitespace().collect();
        let done = match words.as_slice() {
            ["helm", arguments @ ..] => {
                let ours = if arguments[0] == "upgrade" { ALWAYS.as_slice() } else { &[] };
                let ours = ours.iter().flat_map(|setting| ["--set", setting]);
                release.kube.helm(&arguments.iter().copied().chain(ours).collect::<Vec<_>>()).await
            }
            ["kubectl", arguments @ ..] => release.kube.try_kubectl(arguments).await,
            _ => unreachable!("only these are looked for"),
        };
        done.unwrap_or_else(|error| panic!("{line}: {error}"));
        release.settled().await;
        typed += 1;
    }
    assert!(typed > 10, "{typed}");
    // One of them makes a new authority.
    release.come_again().await;
    let ((), said) = release.in_use(async |_| ()).await;
    format!("{typed} commands; {said}")
}

/// The lines of its blocks that are for a cluster.
fn commands_of(text: &str) -> Vec<&str> {
    let blocks = text.split("\n```").skip(1).step_by(2);
    let lines = blocks.flat_map(str::lines);
    lines.filter(|line| ["kubectl ", "helm "].iter().any(|program| line.starts_with(program))).collect()
}
