//! What is tried, in its order.

mod deaths;
mod limits;
mod network;
mod production;
mod runbook;
mod scale;
mod versions;

use std::pin::Pin;

use super::Row;
use super::release::Release;

/// Plays a row; returns what happened. What must not happen is a panic.
pub(super) type Play = for<'a> fn(&'a mut Release) -> Pin<Box<dyn Future<Output = String> + 'a>>;

macro_rules! row {
    ($name:literal, $play:path, $expected:literal) => {
        Row { name: $name, expected: $expected, play: |release| Box::pin($play(release)) }
    };
}

pub(super) fn all() -> Vec<Row> {
    vec![
        row!(
            "install",
            versions::install,
            "values-kind.yaml in a restricted namespace: every pod ready, helm test exits 0"
        ),
        row!(
            "another release",
            versions::beside,
            "values-try.yaml in a namespace beside it: helm test exits 0 in both"
        ),
        row!("restricted pods", limits::pods, "no process runs as root, writes its root file system or holds a token"),
        row!("connections", network::edges, "every pair of pods and port: exactly the contracts' edges connect"),
        row!("kill services", deaths::services, "each service's pods crash in turn: no order lost or doubled"),
        row!("kill the broker", deaths::broker, "its servers crash, one and then all: no order lost or doubled"),
        row!("kill the database", deaths::database, "it crashes, and its pod is deleted: no order lost or doubled"),
        row!("scale", scale::replicas, "two pods of each, three, one, and two again: no call lost"),
        row!("autoscaling", scale::autoscaling, "switched on without losing a pod; pods follow the load"),
        row!("drain", scale::drain, "a drain takes one pod of two and waits for the other's successor: no call lost"),
        row!("canary", scale::canary, "a quarter of the pods takes about a quarter of the calls"),
        row!("change and roll back", versions::settings, "helm upgrade with other values, helm rollback: no call lost"),
        row!(
            "later build",
            versions::later,
            "ordering rolls to a build with a field, an event and a migration more, and back"
        ),
        row!(
            "broken release",
            versions::broken,
            "helm upgrade --atomic to pods that are never ready rolls back: no call lost"
        ),
        row!("volumes keep their size", limits::sizes, "helm upgrade with another storage.size is refused by name"),
        row!(
            "certificates",
            versions::certificates,
            "all are replaced under load: no call lost, the new ones are served"
        ),
        row!(
            "the runbook's commands",
            runbook::commands,
            "those for a cluster, typed in its order: each exits 0, and orders settle"
        ),
        row!("uninstall and install", versions::again, "over the volumes that stay: every order of before is there"),
        row!(
            "production values",
            production::values,
            "values-production.yaml beside cert-manager, a broker and databases of others: orders settle while certificates change"
        ),
    ]
}
