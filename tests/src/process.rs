//! A service as a process of its own, so that what it logs and its metrics are its own.
//!
//! The process is the test binary itself, told by a variable which service to be.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use supervisor::{Spec, Supervised, die_with_parent, never};
use tempfile::TempDir;
use tradewind_events::fault;
use tradewind_fault::{Kill, Point};
use tradewind_testing::{eventually, scratch};

use crate::PATIENCE;
use crate::shop::{Shop, service};
use crate::tomorrow;

const ROLE: &str = "SHOP_SERVICE";
/// Set where the service is to read events as later builds write them.
const LATER: &str = "SHOP_EVENTS_OF_LATER_BUILDS";
/// Set where the service is to die: the consumer whose batch it has just committed, and at which of them.
const DIES: &str = "SHOP_DIES_AT_BATCH";

/// The test of the test binary that calls [`serve_where_told`].
const TEST: &str = "service_process";

/// Becomes the service, where a test has started this binary as one.
pub fn serve_where_told() {
    let Ok(name) = std::env::var(ROLE) else { return };
    die_with_parent();
    if std::env::var_os(LATER).is_some() {
        fault::keep_journal();
        fault::read_as_later(tomorrow::rewritten);
    }
    if let Some((consumer, hit)) = std::env::var(DIES).ok().as_deref().and_then(|told| told.split_once(' ')) {
        let (point, among, hit) = (Point::BatchCommitted, vec![consumer.to_owned()], hit.parse().unwrap());
        tradewind_fault::arm(Kill { point, among, hit, after: Duration::ZERO });
    }
    let ended = tradewind_runtime::serve(service(&name));
    std::process::exit(i32::from(ended != ExitCode::SUCCESS));
}

/// A running service. Dropping it kills the process.
pub struct Process {
    supervised: Supervised,
    /// Holds its log.
    folder: TempDir,
    grpc_addr: SocketAddr,
    admin_addr: SocketAddr,
}

impl Process {
    /// Starts a service of the shop that the shop itself doesn't run, and returns when it is ready.
    pub async fn start(shop: &Shop, name: &str) -> Self {
        Self::run(name, shop.variables(name)).await
    }

    /// The same at an address of its own, as one of several replicas.
    pub async fn replica(shop: &Shop, name: &str) -> Self {
        let mut variables = shop.variables(name);
        variables.insert("TRADEWIND_GRPC_ADDR".to_owned(), "127.0.0.1:0".to_owned());
        Self::run(name, variables).await
    }

    /// A service of the shop that reads every event as a later build of its owner may write it, and keeps a journal of them.
    pub async fn reading_later_events(shop: &Shop, name: &str) -> Self {
        let mut variables = shop.variables(name);
        variables.insert(LATER.to_owned(), "1".to_owned());
        Self::run(name, variables).await
    }

    /// A replica that kills itself when it has committed so many batches of a consumer.
    pub async fn dying(shop: &Shop, name: &str, consumer: &str, batches: u32) -> Self {
        let mut variables = shop.variables(name);
        variables.insert("TRADEWIND_GRPC_ADDR".to_owned(), "127.0.0.1:0".to_owned());
        variables.insert(DIES.to_owned(), format!("{consumer} {batches}"));
        Self::run(name, variables).await
    }

    async fn run(name: &str, mut env: BTreeMap<String, String>) -> Self {
        let folder = scratch();
        env.insert(ROLE.to_owned(), name.to_owned());
        let spec = Spec {
            program: std::env::current_exe().unwrap(),
            args: ["--exact", TEST, "--nocapture"].map(str::to_owned).into(),
            env,
            log: folder.path().join("log"),
            grace: PATIENCE,
        };
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let supervised = Supervised::start(spec, never(), |_| ());
        let mut process = Self { supervised, folder, grpc_addr: nowhere, admin_addr: nowhere };
        let started = process.says("that it has started", |line| line["message"] == "started").await;
        let address = |key: &str| started["fields"][key].as_str().unwrap().parse().unwrap();
        (process.grpc_addr, process.admin_addr) = (address("grpc"), address("admin"));
        process.says("that it is ready", |line| line["message"] == "ready").await;
        process
    }

    pub const fn grpc_addr(&self) -> SocketAddr {
        self.grpc_addr
    }

    pub async fn metrics(&self) -> String {
        let answer = get(&format!("http://{}/metrics", self.admin_addr)).await.unwrap();
        answer.error_for_status().unwrap().text().await.unwrap()
    }

    /// Waits until it logs such a line, and returns the line.
    pub async fn says(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        eventually(PATIENCE, &format!("the process says {what}"), async || {
            let lines = lines(&self.folder);
            lines.iter().find(|line| is_it(line)).cloned().ok_or(lines)
        })
        .await
    }

    /// Whether it has ended, however.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.supervised.state().borrow().pid.is_none()
    }

    /// Sends SIGKILL, and returns when the process is gone.
    pub async fn kill(self) {
        self.supervised.signal(Signal::SIGKILL);
        self.supervised.state().wait_for(|state| state.pid.is_none()).await.unwrap();
    }

    /// Sends SIGTERM, and fails unless the process then ends in order.
    pub async fn stop(self) {
        let Self { supervised, folder, .. } = self;
        let ended = supervised.stop().await;
        assert!(ended.is_some_and(|status| status.success()), "{ended:?}: {:?}", lines(&folder));
    }
}

/// What has been logged in a folder. What is no log line, such as a panic of the test harness, is a line of its own.
fn lines(folder: &TempDir) -> Vec<Value> {
    let log = std::fs::read(folder.path().join("log")).unwrap_or_default();
    let read = |line: &str| {
        // The test harness may have begun the line.
        let logged = line.find('{').and_then(|begin| serde_json::from_str(&line[begin..]).ok());
        logged.unwrap_or_else(|| Value::String(line.to_owned()))
    };
    String::from_utf8_lossy(&log).lines().map(read).collect()
}

/// Asks a server on this machine.
pub async fn get(url: &str) -> reqwest::Result<reqwest::Response> {
    tradewind_runtime::direct().build()?.get(url).send().await
}
