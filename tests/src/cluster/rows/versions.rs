//! Installations, changes of values and of builds, and ways back.

use std::process::Command;

use futures::future::join_all;
use serde_json::Value;
use supervisor::services;
use tokio::task::spawn_blocking;
use tradewind_testing::eventually;

use crate::cluster::PATIENCE;
use crate::cluster::release::{Release, decoded};
use crate::later;
use crate::project::{project, run};

/// What the later build's images are tagged with.
const LATER: &str = "later";
/// The event that only it knows.
const NEWS: &str = "tradewind.ordering.v1.OrderScreened";

pub(super) async fn install(release: &mut Release) -> String {
    release.installed().await;
    let pods = release.pods().await.len();
    format!("{pods} pods ready; {}", release.test().await)
}

pub(super) async fn beside(release: &mut Release) -> String {
    release.installed().await;
    let mut other = Release::new(release.kube.clone(), "beside", "beside", &["helm/tradewind/values-try.yaml"]);
    other.installed().await;
    let said = format!("{}: {}; {}: {}", other.name, other.test().await, release.name, release.test().await);
    other.wipe().await;
    said
}

pub(super) async fn settings(release: &mut Release) -> String {
    let act = async |release: &Release| {
        release.upgrade(&["telemetry.log=debug", "shutdown.graceSeconds=12"]).await;
        release.roll_back().await;
    };
    release.in_use(act).await.1
}

pub(super) async fn later(release: &mut Release) -> String {
    spawn_blocking(make_later_image).await.unwrap();
    let act = async |release: &Release| {
        let settings = format!("services.ordering.image.tag={LATER}");
        release.upgrade(&[&settings]).await;
        let later = release.pods_of("ordering").await;
        assert!(later.iter().all(|pod| pod.image.ends_with(LATER)), "ordering runs {later:?}");
        let news = order_with_news(release).await;
        release.roll_back().await;
        news
    };
    let (news, said) = release.in_use(act).await;
    let known = release.visitor().await.person().order(&news).await;
    format!("{said}; the build before shows order {news} as {:?}", known.status())
}

/// Builds ordering of a later build, and brings its image to the node.
fn make_later_image() {
    let programs = later::build(&["ordering"]);
    let mut images = Command::new(project("scripts/cluster"));
    run(images.arg("image").arg(programs).args([LATER, "ordering"])).unwrap_or_else(|error| panic!("{error}"));
}

/// An order that the later build told something of that the build before does not know.
async fn order_with_news(release: &Release) -> String {
    let person = release.visitor().await.person();
    eventually(PATIENCE, "an order has news", async || {
        for order in person.orders().await {
            let events = person.events_about("ordering", &order.order_id).await;
            if events.iter().any(|event| event.r#type == NEWS) {
                return Ok(order.order_id);
            }
        }
        Err("none has")
    })
    .await
}

pub(super) async fn broken(release: &mut Release) -> String {
    let act = async |release: &Release| {
        // Pods start, answer, and are never ready.
        let settings = ["services.ordering.settings.NATS_URL=tls://nowhere.invalid:4222"];
        let refused = release.try_upgrade(&["--atomic", "--timeout", "90s"], &settings).await;
        release.settled().await;
        refused.expect_err("pods that are never ready were taken")
    };
    let (refused, said) = release.in_use(act).await;
    let refused = refused.lines().last().unwrap_or_default().to_owned();
    format!("{refused}; {said}")
}

pub(super) async fn certificates(release: &mut Release) -> String {
    let act = async |release: &Release| {
        let before = join_all(services::names().map(|service| release.served(service))).await;
        for service in services::names() {
            let secret = release.object(&format!("{service}-tls"));
            release.kube.kubectl(&["--namespace", release.namespace, "delete", "secret", &secret]).await;
        }
        // The job that goes before makes what is missing.
        release.upgrade(&[]).await;
        for (service, before) in services::names().iter().zip(before) {
            eventually(PATIENCE, &format!("{service} serves its new certificate"), async || {
                let now = release.served(service).await;
                let new = now.iter().all(|certificate| !before.contains(certificate));
                if new { Ok(()) } else { Err("it serves the old one") }
            })
            .await;
        }
    };
    release.in_use(act).await.1
}

pub(super) async fn again(release: &mut Release) -> String {
    release.installed().await;
    release.uninstall().await;
    let left = release.kube.get(release.namespace, "persistentvolumeclaims").await;
    let left = left["items"].as_array().map_or(0, Vec::len);
    let authority = authority(release).await;
    release.upgrade(&[]).await;
    assert_eq!(authority, self::authority(release).await, "the authority is another one");
    release.come_again().await;
    let before = release.orders().len();
    let ((), said) = release.in_use(async |_| ()).await;
    format!("{left} volumes stayed, and {before} orders; {said}; {}", release.test().await)
}

async fn authority(release: &Release) -> Vec<u8> {
    let secret: Value = release.kube.get(release.namespace, &format!("secret {}", release.object("ca"))).await;
    decoded(&secret["data"]["tls.crt"])
}
