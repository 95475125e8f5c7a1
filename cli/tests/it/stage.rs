//! One service, and nobody else, with the folder of whoever runs it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tokio::runtime::Runtime;
use tradewind_mesh::IdentityFiles;
use tradewind_runtime::{Running, Service, Settings};

use crate::program::{Folder, complained, printed};

pub(crate) struct Stage {
    folder: Folder,
    service: &'static str,
    address: SocketAddr,
    /// Before what it runs in.
    _running: Running,
    pub(crate) runtime: Runtime,
}

impl Stage {
    /// Inventory's.
    pub(crate) fn set() -> Self {
        Self::of(inventory::service())
    }

    pub(crate) fn of(service: Service) -> Self {
        let name = service.name();
        let folder = Folder::new();
        assert!(folder.tradewind(&["pki", "init"]).status().unwrap().success());
        let runtime = Runtime::new().unwrap();
        let files = IdentityFiles::in_dir(&folder.path().join("pki"), name);
        let settings = Settings::in_process(files, database(&folder, name), "nats://127.0.0.1:1");
        let running = runtime.block_on(service.start(settings)).unwrap();
        Self { folder, service: name, address: running.grpc_addr(), _running: running, runtime }
    }

    /// Where everything is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its database is.
    pub(crate) fn database(&self) -> String {
        database(&self.folder, self.service)
    }

    /// Runs `tradewind` with these arguments.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let peers = format!("--peers={}={}", self.service, self.address);
        self.folder.tradewind(&[&[peers.as_str()], args].concat()).output().unwrap()
    }

    /// What it prints when all goes well.
    pub(crate) fn succeeds(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}\n{}", printed(&output), complained(&output));
        printed(&output)
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.succeeds(&[&["--json"], args].concat())).unwrap()
    }

    /// What it prints, complaints included, when it ends with this code.
    pub(crate) fn fails(&self, args: &[&str], code: i32) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}\n{}", printed(&output), complained(&output));
        printed(&output) + &complained(&output)
    }
}

fn database(folder: &Folder, service: &str) -> String {
    tradewind_sql::sqlite_url(&folder.path().join(format!("{service}.db")))
}
