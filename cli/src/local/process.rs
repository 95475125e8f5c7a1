//! One child process that is started again whenever it dies, until it is told to stop.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};

use super::system::{Notice, State};

/// How to start a process.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) log: PathBuf,
}

/// What a supervised process can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// SIGKILL; it is started again.
    Kill,
    /// SIGKILL, and stay down until started.
    Halt,
    /// Start after `Halt`.
    Start,
    /// SIGTERM, wait, and end.
    Stop,
}

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);
const STEADY: Duration = Duration::from_secs(10);
const STOP_GRACE: Duration = Duration::from_secs(15);

/// Keeps one process running and reports its state; returns once it was told to stop.
pub(super) async fn supervise(
    spec: Spec,
    mut orders: mpsc::Receiver<Order>,
    state: watch::Sender<State>,
    notices: mpsc::UnboundedSender<Notice>,
) {
    let tell = |text: String| {
        // Nobody may be listening any more while the system stops.
        let _ = notices.send(Notice { process: spec.name, text });
    };
    let mut backoff = FIRST_BACKOFF;
    loop {
        let started = Instant::now();
        let died = match spawn(&spec) {
            Ok(mut child) => {
                // Waiting for a child closes its standard input, unless that is held elsewhere.
                let _tie = child.stdin.take();
                state.send_modify(|state| state.pid = child.id());
                match watch_child(&mut child, &mut orders).await {
                    Ended::Died(how) => how,
                    Ended::Stopped => return state.send_modify(|state| state.pid = None),
                    Ended::Halted => {
                        state.send_modify(|state| state.pid = None);
                        tell("stopped".to_owned());
                        match wait_for_start(&mut orders).await {
                            true => continue,
                            false => return,
                        }
                    }
                }
            }
            Err(error) => format!("{error:#}"),
        };
        if started.elapsed() > STEADY {
            backoff = FIRST_BACKOFF;
        }
        state.send_modify(|state| {
            state.pid = None;
            state.restarts += 1;
        });
        tell(format!("{died}; started again in {} ms", backoff.as_millis()));
        tokio::select! {
            () = tokio::time::sleep(backoff) => {}
            order = orders.recv() => if matches!(order, Some(Order::Stop) | None) { return },
        }
        backoff = (backoff * 2).min(MAX_BACKOFF);
    }
}

enum Ended {
    Died(String),
    Halted,
    Stopped,
}

async fn watch_child(child: &mut Child, orders: &mut mpsc::Receiver<Order>) -> Ended {
    loop {
        tokio::select! {
            status = child.wait() => {
                return Ended::Died(status.map_or_else(|e| e.to_string(), |status| format!("ended: {status}")));
            }
            order = orders.recv() => match order {
                Some(Order::Kill) => {
                    kill_all(child).await;
                    return Ended::Died("killed".to_owned());
                }
                Some(Order::Halt) => {
                    kill_all(child).await;
                    return Ended::Halted;
                }
                Some(Order::Start) => {}
                Some(Order::Stop) | None => {
                    terminate(child).await;
                    return Ended::Stopped;
                }
            }
        }
    }
}

async fn wait_for_start(orders: &mut mpsc::Receiver<Order>) -> bool {
    loop {
        match orders.recv().await {
            Some(Order::Start) => return true,
            Some(Order::Stop) | None => return false,
            Some(Order::Kill | Order::Halt) => {}
        }
    }
}

async fn terminate(child: &mut Child) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    if tokio::time::timeout(STOP_GRACE, child.wait()).await.is_err() {
        kill_all(child).await;
    }
}

/// SIGKILL for the child and for whatever it started itself.
async fn kill_all(child: &mut Child) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let _ = child.wait().await;
}

fn spawn(spec: &Spec) -> Result<Child> {
    let log = log_file(&spec.log)?;
    Command::new(&spec.program)
        .args(&spec.args)
        .envs(spec.env.iter().map(|(key, value)| (key, value)))
        // The write end stays in this process: the child reads its end when this process dies.
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        // Ctrl-C is for the supervisor, which then stops its children in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", spec.program.display()))
}

fn log_file(path: &PathBuf) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(path).with_context(|| format!("cannot open {}", path.display()))
}

/// Ends this process with SIGTERM when its standard input closes, that is, when the process that
/// started it is gone, however it went.
pub(crate) fn die_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = kill(Pid::this(), Signal::SIGTERM);
    });
}
