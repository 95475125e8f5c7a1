//! Runs `tradewind` in a folder of its own and looks for what it left behind.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder that stands for `.tradewind`.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program with arguments, working in this folder.
    pub(crate) fn tradewind(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
        command.arg("--dir").arg(self.path()).args(args).stdin(Stdio::null());
        command.env("NATS_SERVER", tradewind_testing::nats_server());
        command
    }

    /// Processes that were started for this folder and still run.
    pub(crate) fn processes(&self) -> Vec<String> {
        let wanted = self.path().display().to_string();
        let mentions = |file: std::path::PathBuf| {
            std::fs::read(file).is_ok_and(|text| String::from_utf8_lossy(&text).contains(&wanted))
        };
        let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
        entries
            .filter(|process| mentions(process.join("cmdline")) || mentions(process.join("environ")))
            .map(|process| {
                let command = std::fs::read(process.join("cmdline")).unwrap_or_default();
                format!("{}: {}", process.display(), String::from_utf8_lossy(&command).replace('\0', " "))
            })
            .collect()
    }
}

/// What a program printed on standard output.
pub(crate) fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a program complained about.
pub(crate) fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
