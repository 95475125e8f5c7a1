//! One child process that is started again whenever it dies, until it is told to stop.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStdin, Command};
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
        let ended = match Running::start(&spec) {
            Ok(mut running) => {
                state.send_modify(|state| state.pid = running.child.id());
                running.attend(&mut orders, &spec.log).await
            }
            Err(error) => Ended::Died(format!("{error:#}")),
        };
        state.send_modify(|state| state.pid = None);
        let next = match ended {
            Ended::Told(order) => order,
            Ended::Died(how) => {
                if started.elapsed() > STEADY {
                    backoff = FIRST_BACKOFF;
                }
                state.send_modify(|state| {
                    state.restarts += 1;
                    state.ended = Some(how.clone());
                });
                tell(format!("{how}; started again in {} ms", backoff.as_millis()));
                let pause = tokio::time::timeout(backoff, next_order(&mut orders)).await;
                backoff = (backoff * 2).min(MAX_BACKOFF);
                pause.unwrap_or(Order::Start)
            }
        };
        match next {
            Order::Stop => return,
            Order::Halt => {
                tell("stopped".to_owned());
                if wait_for_start(&mut orders).await == Order::Stop {
                    return;
                }
            }
            Order::Start | Order::Kill => {}
        }
    }
}

enum Ended {
    Died(String),
    Told(Order),
}

/// Nobody left to give orders is an order to stop.
async fn next_order(orders: &mut mpsc::Receiver<Order>) -> Order {
    orders.recv().await.unwrap_or(Order::Stop)
}

async fn wait_for_start(orders: &mut mpsc::Receiver<Order>) -> Order {
    loop {
        match next_order(orders).await {
            order @ (Order::Start | Order::Stop) => return order,
            Order::Kill | Order::Halt => {}
        }
    }
}

/// A child process, its group, and the pipe that ties its life to this process.
struct Running {
    child: Child,
    group: Option<Pid>,
    _tie: Option<ChildStdin>,
    /// How long the log was before.
    logged: u64,
}

impl Running {
    fn start(spec: &Spec) -> Result<Self> {
        let logged = std::fs::metadata(&spec.log).map_or(0, |log| log.len());
        let mut child = spawn(spec)?;
        let group = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
        // Waiting for a child closes its standard input, unless that is held elsewhere.
        let tie = child.stdin.take();
        Ok(Self { child, group, _tie: tie, logged })
    }

    /// Waits until the process dies or is told to stop or halt.
    async fn attend(&mut self, orders: &mut mpsc::Receiver<Order>, log: &Path) -> Ended {
        loop {
            tokio::select! {
                status = self.child.wait() => {
                    // What it started itself must not outlive it and hold its ports.
                    self.signal(Signal::SIGKILL);
                    let how = status.map_or_else(|error| error.to_string(), |status| format!("ended: {status}"));
                    return Ended::Died(format!("{how}{}", last_words(log, self.logged)));
                }
                order = next_order(orders) => match order {
                    Order::Start => {}
                    Order::Kill => {
                        self.kill().await;
                        return Ended::Died("killed".to_owned());
                    }
                    Order::Halt => {
                        self.kill().await;
                        return Ended::Told(order);
                    }
                    Order::Stop => {
                        self.terminate().await;
                        return Ended::Told(order);
                    }
                }
            }
        }
    }

    async fn terminate(&mut self) {
        if let Some(pid) = self.group {
            let _ = kill(pid, Signal::SIGTERM);
        }
        if tokio::time::timeout(STOP_GRACE, self.child.wait()).await.is_err() {
            self.kill().await;
        }
    }

    async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait().await;
    }

    /// Signals the child and whatever it started.
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            let _ = killpg(group, signal);
        }
    }
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

/// The last lines that a process wrote to its log beyond `from`, on one line; nothing where it wrote none.
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
