//! The programs as they are shipped, run as an operator's tools run them, and what `scripts/tools` installs.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tradewind_testing::scratch;

pub(crate) use crate::project::{binary, project, run, tool};

pub(crate) type Environment = BTreeMap<String, String>;

/// A running program with nothing but the given environment. It is ended in order when this is dropped, and with the test process
/// however that ends.
pub(crate) struct Program {
    child: Child,
    folder: TempDir,
}

impl Program {
    pub(crate) fn start(command: &[&str], environment: &Environment) -> Self {
        let folder = scratch();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(binary("tradewind"))
            .args(["tied", "--"])
            .args(command)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
