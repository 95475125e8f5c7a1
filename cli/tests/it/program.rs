//! Runs `tradewind` in a folder of its own and looks for what it left behind.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder that stands for `.tradewind`.
pub(crate) struct Folder {
    path: PathBuf,
    _removed_on_drop: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self::called("state")
    }

    /// With a name of the caller's choice, in a folder of its own.
    pub(crate) fn called(name: &str) -> Self {
        let within = TempDir::new().unwrap();
        let path = within.path().join(name);
        std::fs::create_dir(&path).unwrap();
        Self { path, _removed_on_drop: within }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A program of this folder that does what the shell's `text` says.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The program with arguments, working in this folder.
    pub(crate) fn tradewind(&self, args: &[&str]) -> Command {
        tradewind(self.path(), args)
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

/// The program with arguments, told to work in this folder.
pub(crate) fn tradewind(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command.arg("--dir").arg(folder).args(args).stdin(Stdio::null());
    command.env("NATS_SERVER", tradewind_testing::nats_server());
    // Whoever runs this behind a company's proxy has these, and nothing here is for one.
    for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(proxy, "http://127.0.0.1:1");
    }
    command.env("NO_PROXY", "").env("no_proxy", "");
    command
}

/// What a program printed on standard output.
pub(crate) fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a program complained about.
pub(crate) fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
