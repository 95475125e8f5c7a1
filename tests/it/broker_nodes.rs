//! The nodes of the broker's cluster, configured as the chart does.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tradewind_testing::{Nats, TRUST_DOMAIN, eventually, free_port, pki};

use crate::programs::{project, run};
use system_tests::PATIENCE;

/// A server with a port for others of its cluster, and one that tells how it is.
struct Node {
    nats: Nats,
    monitor: u16,
}

impl Node {
    fn start(cluster: &str) -> Self {
        let monitor = free_port();
        Self { nats: Nats::start_with(&format!("http: \"127.0.0.1:{monitor}\"\n{cluster}")), monitor }
    }

    async fn asked(&self, path: &str) -> Value {
        let answer = reqwest::get(format!("http://127.0.0.1:{}/{path}", self.monitor)).await.unwrap();
        answer.json().await.unwrap()
    }

    /// The ids of the servers it is connected to.
    async fn peers(&self) -> Vec<String> {
        let routes = self.asked("routez").await;
        let ids = routes["routes"].as_array().into_iter().flatten().filter_map(|route| route["remote_id"].as_str());
        ids.map(str::to_owned).collect()
    }

    async fn id(&self) -> String {
        self.asked("varz").await["server_id"].as_str().unwrap().to_owned()
    }

    async fn joins(&self, other: &Self) {
        let id = other.id().await;
        eventually(PATIENCE, "a node joins", async || {
            let peers = self.peers().await;
            if peers.contains(&id) { Ok(()) } else { Err(peers) }
        })
        .await;
    }
}

/// The `cluster` block of the chart's broker, for the node whose number it is.
fn cluster(pki: &Path, ports: [u16; 3], number: usize) -> String {
    let objects = run(Command::new(project("scripts/chart")).args(["--render", "values-kind.yaml"])).unwrap();
    let objects: Vec<Value> = serde_json::from_str(&objects).unwrap();
    let rendered = objects.iter().find_map(|object| object["data"]["nats.conf"].as_str()).unwrap();
    let begin = rendered.find("cluster {").unwrap();
    let mut text = rendered[begin..rendered.find("include").unwrap()].to_owned();
    for (index, port) in ports.iter().enumerate() {
        let host = format!("shop-tradewind-nats-{index}.shop-tradewind-nats.sales.svc.cluster.local:6222");
        assert!(text.contains(&host), "{text}");
        text = text.replace(&host, &format!("localhost:{port}"));
    }
    let file = |name: &str| pki.join(name).display().to_string();
    text.replace("[::]:6222", &format!("127.0.0.1:{}", ports[number]))
        .replace("/etc/tradewind/tls/tls.crt", &file("nats.pem"))
        .replace("/etc/tradewind/tls/tls.key", &file("nats.key"))
        .replace("/etc/tradewind/tls/ca.crt", &file("ca.pem"))
        .replace("tradewind.local", TRUST_DOMAIN)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_a_services_certificate_is_no_node_of_the_broker() {
    let pki = pki(&["nats", "ordering"]);
    let ports = [free_port(), free_port(), free_port()];
    let node = |number| Node::start(&cluster(pki.path(), ports, number));
    let (first, second) = (node(0), node(1));
    first.joins(&second).await;

    let file = |name: &str| pki.path().join(name).display().to_string();
    let intruder = Node::start(&format!(
        "cluster {{ name: \"shop-tradewind\", listen: \"127.0.0.1:{}\", routes: [\"tls://localhost:{}\"],\n\
         tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {:?} }} }}",
        free_port(),
        ports[0],
        file("ordering.pem"),
        file("ordering.key"),
        file("ca.pem"),
    ));
    // By the time that another has joined, the intruder has tried.
    let third = node(2);
    first.joins(&third).await;
    second.joins(&third).await;
    assert_eq!(intruder.peers().await, Vec::<String>::new());
    let id = intruder.id().await;
    for node in [&first, &second, &third] {
        assert!(!node.peers().await.contains(&id), "{}", node.nats.url());
    }
}
