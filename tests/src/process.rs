//! A service as a process of its own, so that its standard error and its metrics are its own.
//!
//! The process is the test binary itself, told by a variable which service to be.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tradewind_testing::eventually;

use crate::shop::{PATIENCE, Shop, service};

const ROLE: &str = "SHOP_SERVICE";

/// The test of the test binary that calls [`serve_where_told`].
const TEST: &str = "service_process";

/// Becomes the service, where a test has started this binary as one.
pub fn serve_where_told() {
    let Ok(name) = std::env::var(ROLE) else { return };
    // Standard input ends when the test that holds its other end does, however that ends.
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(1);
    });
    let ended = tradewind_runtime::serve(service(&name));
    std::process::exit(i32::from(ended != ExitCode::SUCCESS));
}

/// A running service. Dropping it kills the process.
pub struct Process {
    child: Child,
    /// What it has logged.
    lines: Arc<Mutex<Vec<Value>>>,
    grpc_addr: SocketAddr,
    admin_addr: SocketAddr,
}

impl Process {
    /// Starts a service of the shop that the shop itself doesn't run, and returns when it is ready.
    pub async fn start(shop: &Shop, name: &str) -> Self {
        Self::run(name, shop.variables(name).into_iter().collect()).await
    }

    /// The same at an address of its own, as one of several replicas.
    pub async fn replica(shop: &Shop, name: &str) -> Self {
        let mut variables: BTreeMap<_, _> = shop.variables(name).into_iter().collect();
        variables.insert("TRADEWIND_GRPC_ADDR", "127.0.0.1:0".to_owned());
        Self::run(name, variables).await
    }

    async fn run(name: &str, variables: BTreeMap<&str, String>) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", TEST, "--nocapture"])
            .env(ROLE, name)
            .envs(variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (logged, told) = (lines.clone(), BufReader::new(child.stderr.take().unwrap()));
        std::thread::spawn(move || {
            for line in told.lines().map_while(Result::ok) {
                // What is no log line, such as a panic of the test harness, is a line of its own.
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                logged.lock().unwrap().push(line);
            }
        });
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut process = Self { child, lines, grpc_addr: nowhere, admin_addr: nowhere };
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
            let lines = self.lines.lock().unwrap().clone();
            lines.iter().find(|line| is_it(line)).cloned().ok_or(lines)
        })
        .await
    }

    /// Sends SIGKILL, and returns when the process is gone.
    pub fn kill(self) {
        drop(self);
    }

    /// Sends SIGTERM, and fails unless the process then ends in order.
    pub async fn stop(mut self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let ended = eventually(PATIENCE, "the process ends", async || self.child.try_wait().unwrap()).await;
        assert!(ended.success(), "{ended}: {:?}", self.lines.lock().unwrap());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks a server on this machine.
pub async fn get(url: &str) -> reqwest::Result<reqwest::Response> {
    tradewind_runtime::direct().build()?.get(url).send().await
}
