//! The programs as they are shipped, run as an operator's tools run them, and what `scripts/tools` installs.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tradewind_testing::scratch;

pub(crate) type Environment = BTreeMap<String, String>;

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path).canonicalize().unwrap()
}

/// A binary that building the workspace leaves beside the tests.
pub(crate) fn binary(name: &str) -> PathBuf {
    let path = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join(name);
    assert!(path.is_file(), "{} is not there; `make build` builds it", path.display());
    path
}

/// A tool of the project, which is installed where it is missing.
pub(crate) fn tool(name: &str) -> PathBuf {
    run(Command::new(project("scripts/tools")).arg(name)).unwrap().trim_end().into()
}

/// Runs a command to its end; returns what it wrote on standard output, or on standard error where it failed.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

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
