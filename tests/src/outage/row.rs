//! The processes of the row, and how often each was asked.

use std::collections::BTreeMap;
use std::ops::Sub;
use std::path::Path;

use nix::sys::signal::Signal;
use supervisor::{Environment, Spec, Supervised, always};
use tempfile::TempDir;
use tradewind_mesh::Channel;
use tradewind_testing::{Database, Nats, TRUST_DOMAIN, eventually, free_port, pki};

use super::link::{self, CALLER, NAME};
use crate::PATIENCE;
use crate::process::get;

const METHOD: &str = "CatalogService/GetProduct";

/// The first, the second and the last.
pub(super) struct Row {
    links: [Link; 3],
    pki: TempDir,
    _nats: Nats,
}

struct Link {
    process: Supervised,
    address: String,
    admin: String,
    _database: Database,
}

/// How often each was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked([f64; 3]);

impl Row {
    /// Starts it, and returns when everybody is ready.
    pub(super) async fn start(folder: &Path) -> Self {
        // Left by an earlier run, if there.
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).expect("a folder for logs");
        let (nats, pki) = (tokio::task::block_in_place(Nats::start_for_services), pki(&[NAME, CALLER]));
        let addresses: [String; 3] = std::array::from_fn(|_| format!("127.0.0.1:{}", free_port()));
        let links = std::array::from_fn(|place| {
            let next = addresses.get(place + 1).cloned().unwrap_or_default();
            Link::start(place, &addresses[place], next, &nats, pki.path(), folder)
        });
        let row = Self { links, pki, _nats: nats };
        for link in &row.links {
            link.ready().await;
        }
        row
    }

    /// A way to the first.
    pub(super) fn channel(&self) -> Channel {
        link::channel(self.pki.path(), &self.links[0].address).unwrap()
    }

    /// As the first tells what it was asked, and each but the last what it has asked the next: whoever is away tells nothing.
    pub(super) async fn asked(&self) -> Asked {
        let [first, second, _] = &self.links;
        let (first, second) = (first.metrics().await, second.metrics().await);
        let asks = "grpc_client_attempt_started_total";
        Asked([counted(&first, "grpc_server_call_started_total"), counted(&first, asks), counted(&second, asks)])
    }

    pub(super) fn freeze(&self) {
        self.last().signal(Signal::SIGSTOP);
    }

    pub(super) fn thaw(&self) {
        self.last().signal(Signal::SIGCONT);
    }

    pub(super) async fn kill(&self) {
        self.last().halt().await;
    }

    /// Returns when it is ready.
    pub(super) async fn start_again(&self) {
        self.last().resume().await;
        self.links[2].ready().await;
    }

    pub(super) async fn stop(self) {
        for link in self.links {
            let ended = link.process.stop().await;
            assert!(ended.is_some_and(|status| status.success()), "a link of the row ended in disorder: {ended:?}");
        }
    }

    const fn last(&self) -> &Supervised {
        &self.links[2].process
    }
}

impl Link {
    fn start(place: usize, address: &str, next: String, nats: &Nats, pki: &Path, folder: &Path) -> Self {
        let (database, admin) = (Database::sqlite(), format!("127.0.0.1:{}", free_port()));
        let environment = Environment {
            pki,
            trust_domain: TRUST_DOMAIN,
            peers: &BTreeMap::from([(NAME.to_owned(), address.to_owned())]),
            nats_url: nats.url(),
            outside_url: String::new(),
        };
        let mut env = environment.of(NAME, database.url(), admin.clone());
        env.insert("TRADEWIND_NEXT".to_owned(), next);
        env.insert("TRADEWIND_PKI".to_owned(), pki.display().to_string());
        let spec = Spec {
            program: std::env::current_exe().unwrap(),
            args: vec!["link".to_owned()],
            env,
            log: folder.join(format!("{place}.log")),
            grace: PATIENCE,
        };
        let process = Supervised::start(spec, always(), |_| ());
        Self { process, address: address.to_owned(), admin, _database: database }
    }

    async fn ready(&self) {
        let url = format!("http://{}/health/ready", self.admin);
        eventually(PATIENCE, "a link of the row is ready", async || {
            get(&url).await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    async fn metrics(&self) -> String {
        let answer = get(&format!("http://{}/metrics", self.admin)).await.unwrap();
        answer.error_for_status().unwrap().text().await.unwrap()
    }
}

/// The sum of a counter's series that are about the method.
fn counted(metrics: &str, name: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with(name) && line.contains(METHOD));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

impl Asked {
    /// How often the first, the second and the last.
    pub(super) const fn times(&self) -> [f64; 3] {
        self.0
    }

    /// For each of so many calls.
    pub(super) fn each(&self, calls: u64) -> [f64; 3] {
        let calls = f64::from(u32::try_from(calls).expect("as many calls as fit in a minute"));
        self.0.map(|asked| asked / calls)
    }
}

impl Sub for Asked {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self(std::array::from_fn(|place| self.0[place] - before.0[place]))
    }
}
