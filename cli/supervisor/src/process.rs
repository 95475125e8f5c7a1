//! A child process with its log, its group, and the pipe that ties its life to this one's.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStdin, Command};

/// How to start a process.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The file that is run.
    pub program: PathBuf,
    /// What the program is told.
    pub args: Vec<String>,
    /// What is in its environment beside this process's.
    pub env: BTreeMap<String, String>,
    /// Where all that it writes is appended.
    pub log: PathBuf,
    /// How long it may take to end in order before it is killed.
    pub grace: Duration,
}

/// One that runs. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    /// How long the log was before.
    logged: u64,
    grace: Duration,
}

impl Process {
    /// Starts it; what it reads is told to the pipe that is returned, and ends with that.
    pub(crate) fn start(spec: &Spec) -> Result<(Self, Option<ChildStdin>)> {
        let logged = std::fs::metadata(&spec.log).map_or(0, |log| log.len());
        let log = log_file(&spec.log)?;
        let mut child = Command::new(&spec.program)
            .args(&spec.args)
            .envs(&spec.env)
            // The write end stays in this process: the child reads its end when this process dies.
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for whoever started it, which then stops its children in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", spec.program.display()))?;
        // Waiting for a child closes its standard input, unless that is held elsewhere.
        let input = child.stdin.take();
        Ok((Self { child, log: spec.log.clone(), logged, grace: spec.grace }, input))
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until it has ended, and everything that it started with it.
    pub(crate) async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        let group = self.pid();
        let ended = self.child.wait().await;
        // What it started itself must not outlive it and hold its ports.
        signal(group, Signal::SIGKILL);
        ended
    }

    /// Sends SIGTERM; returns how it ended, unless it takes too long.
    pub(crate) async fn ask_to_end(&mut self) -> Option<std::io::Result<ExitStatus>> {
        if let Some(pid) = self.pid().and_then(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        tokio::time::timeout(self.grace, self.wait()).await.ok()
    }

    /// Sends SIGTERM, and SIGKILL where that is not enough within a while; returns how it ended.
    pub(crate) async fn terminate(&mut self) -> std::io::Result<ExitStatus> {
        match self.ask_to_end().await {
            Some(ended) => ended,
            None => self.kill().await,
        }
    }

    /// Sends SIGKILL, and returns when it is gone.
    pub(crate) async fn kill(&mut self) -> std::io::Result<ExitStatus> {
        signal(self.pid(), Signal::SIGKILL);
        self.wait().await
    }

    /// The last lines that it wrote, on one line behind a colon; nothing where it wrote none.
    pub(crate) fn last_words(&self) -> String {
        last_words(&self.log, self.logged)
    }
}

/// Signals a process and whatever it started; one that is gone hears nothing.
pub(crate) fn signal(group: Option<u32>, signal: Signal) {
    if let Some(group) = group.and_then(|pid| i32::try_from(pid).ok()) {
        let _ = killpg(Pid::from_raw(group), signal);
    }
}

fn last_words(log: &Path, from: u64) -> String {
    const LINES: usize = 3;
    const BYTES: u64 = 4096;
    const CHARACTERS: usize = 300;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(from.max(end.saturating_sub(BYTES))))?;
        let mut bytes = Vec::new();
        file.take(BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut lines: Vec<_> = text.lines().rev().filter(|line| !line.trim().is_empty()).take(LINES).collect();
    lines.reverse();
    let lines: Vec<_> = lines.iter().map(|line| line.trim().chars().take(CHARACTERS).collect::<String>()).collect();
    if lines.is_empty() { String::new() } else { format!(": {}", lines.join(" | ")) }
}

fn log_file(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(path).with_context(|| format!("cannot open {}", path.display()))
}

/// Ends this process with SIGTERM when its standard input closes, that is, when the process that started it is gone, however it
/// went.
pub fn die_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = kill(Pid::this(), Signal::SIGTERM);
    });
}
