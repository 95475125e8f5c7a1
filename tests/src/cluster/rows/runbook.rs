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
    for block in blocks(&std::fs::read_to_string(project(RUNBOOK)).unwrap()) {
        for line in &block {
            let line = line.replace("shop", release.name).replace(THEIRS, &release.file());
            let done = type_in(release, &line).await;
            done.unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        // What one command takes apart, another of its block may put together.
        release.settled().await;
        typed += block.len();
    }
    assert!(typed > 10, "{typed}");
    // One of them makes a new authority.
    release.come_again().await;
    let ((), said) = release.in_use(async |_| ()).await;
    format!("{typed} commands; {said}")
}

/// Types a line that a shell would take word by word.
async fn type_in(release: &Release, line: &str) -> Result<String, String> {
    assert!(!line.contains(['\'', '"', '|', '\\', '$']), "{line}");
    let mut words = line.split_whitespace();
    let program = words.next();
    let mut arguments: Vec<&str> = words.collect();
    if arguments.first() == Some(&"upgrade") {
        arguments.extend(ALWAYS.iter().flat_map(|setting| ["--set", setting]));
    }
    if program == Some("helm") {
        release.kube.helm(&arguments).await
    } else {
        release.kube.try_kubectl(&arguments).await
    }
}

/// Its blocks of commands for a cluster, and their lines.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let is_ours = |line: &&str| ["kubectl ", "helm "].iter().any(|program| line.starts_with(program));
    let blocks = text.split("\n```").skip(1).step_by(2);
    blocks.map(|block| block.lines().filter(is_ours).collect::<Vec<_>>()).filter(|lines| !lines.is_empty()).collect()
}
