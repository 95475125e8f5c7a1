//! Inventory, and nobody else, with the folder of whoever runs it.

use std::net::SocketAddr;
use std::process::Output;

use serde_json::Value;
use tokio::runtime::Runtime;
use tradewind_mesh::IdentityFiles;
use tradewind_runtime::{Running, Settings};

use crate::program::{Folder, complained, printed};

pub(crate) struct Stage {
    folder: Folder,
    address: SocketAddr,
    /// Before what it runs in.
    _running: Running,
    pub(crate) runtime: Runtime,
}

impl Stage {
    pub(crate) fn set() -> Self {
        let folder = Folder::new();
        assert!(folder.tradewind(&["pki", "init"]).status().unwrap().success());
        let runtime = Runtime::new().unwrap();
        let files = IdentityFiles::in_dir(&folder.path().join("pki"), "inventory");
        let settings = Settings::in_process(files, database(&folder), "nats://127.0.0.1:1");
        let running = runtime.block_on(inventory::service().start(settings)).unwrap();
        Self { folder, address: running.grpc_addr(), _running: running, runtime }
    }

    /// Where its database is.
    pub(crate) fn database(&self) -> String {
        database(&self.folder)
    }

    /// Runs `tradewind` with these arguments.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let peers = format!("--peers=inventory={}", self.address);
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

fn database(folder: &Folder) -> String {
    tradewind_sql::sqlite_url(&folder.path().join("inventory.db"))
}
