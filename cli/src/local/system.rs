//! The processes of one local system: broker, outside world and services.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use supervisor::{Spec, State, Supervised, always, services};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::broker;
use super::layout::{Layout, TRUST_DOMAIN};

/// Something an onlooker may want to know about a process.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    /// Which process.
    pub(crate) process: &'static str,
    /// What happened.
    pub(crate) text: String,
}

/// What is written to the run file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunFile {
    /// The supervisor's process id.
    pub(crate) supervisor: u32,
    /// The processes by name.
    pub(crate) processes: BTreeMap<String, State>,
}

/// How long a process may take to end.
const STOP_GRACE: Duration = Duration::from_secs(15);
/// A process that died so often before it was ready is not waited for.
const MAX_DEATHS: u32 = 3;

/// A running local system. Its processes end with it, also when it is killed.
pub(crate) struct System {
    layout: Layout,
    processes: BTreeMap<&'static str, Supervised>,
    http: reqwest::Client,
    recorder: JoinHandle<()>,
    streams: JoinHandle<()>,
    /// Held for as long as the system runs; the kernel lets go of it however this process ends.
    _lock: File,
}

impl System {
    /// Starts broker, outside world and every service but those in `except`, over the data that is
    /// there, or over none where it is to be `fresh`.
    ///
    /// # Errors
    /// When a name in `except` is unknown, a system runs in this folder already, a port is in use, or
    /// the file system refuses.
    pub(crate) fn start(
        layout: Layout,
        except: &[String],
        fresh: bool,
        notices: mpsc::UnboundedSender<Notice>,
    ) -> Result<Self> {
        if let Some(unknown) = except.iter().find(|name| !names().any(|known| known == name.as_str())) {
            bail!("there is no process {unknown:?}; there are {}", names().collect::<Vec<_>>().join(", "));
        }
        let lock = layout.lock()?.context("a system runs here already; `tradewind down` stops one started by `up`")?;
        let wanted = names().filter(|name| !except.iter().any(|left_out| left_out == name));
        let specs = wanted.map(|name| Ok((name, spec(&layout, name)?))).collect::<Result<Vec<_>>>()?;
        if fresh {
            layout.wipe()?;
        }
        layout.prepare()?;
        broker::configure(&layout, TRUST_DOMAIN)?;
        for (name, _) in &specs {
            layout.ensure_free(name)?;
        }
        let read_again = {
            let layout = layout.clone();
            move || reads_again(&layout)
        };
        let streams = tokio::spawn(broker::keep(layout.clone(), read_again, tell("nats", &notices)));
        let mut processes = BTreeMap::new();
        for (process, spec) in specs {
            processes.insert(process, Supervised::start(spec, always(), tell(process, &notices)));
        }
        let http = tradewind_runtime::direct().build()?;
        let states = processes.iter().map(|(name, process)| (*name, process.state())).collect();
        let recorder = tokio::spawn(record(layout.run_file(), states));
        Ok(Self { layout, processes, http, recorder, streams, _lock: lock })
    }

    /// Where the system lives.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The names of its processes: each comes after those it needs.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        names().filter(|name| self.processes.contains_key(name))
    }

    /// Waits until a process says that it is ready.
    ///
    /// # Errors
    /// When it is not within `limit`, or a process keeps dying: names the one at fault, which need not be this one.
    pub(crate) async fn wait_ready(&self, name: &'static str, limit: Duration) -> Result<()> {
        let url = self.layout.ready_url(name);
        let before: Vec<_> = self.processes.values().map(|process| process.state().borrow().restarts).collect();
        let keeps_dying = || self.at_fault(&before, MAX_DEATHS);
        let ready = async {
            while !is_ready(&self.http, &url).await {
                if let Some(fault) = keeps_dying() {
                    bail!(fault);
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            Ok(())
        };
        tokio::time::timeout(limit, ready).await.unwrap_or_else(|_| {
            let late =
                || format!("{name} was not ready within {} s; see {}", limit.as_secs(), self.log(name).display());
            bail!(self.at_fault(&before, 1).unwrap_or_else(late))
        })
    }

    /// The process that has died most often beyond `before`, if so often, with how it ended the last time.
    fn at_fault(&self, before: &[u32], deaths: u32) -> Option<String> {
        let died = |(before, (name, process)): (&u32, (&&'static str, &Supervised))| {
            let state = process.state().borrow().clone();
            (state.restarts - before, *name, state.ended.unwrap_or_default())
        };
        let (died, name, how) = before.iter().zip(&self.processes).map(died).max_by_key(|(died, ..)| *died)?;
        let log = self.log(name);
        (died >= deaths).then(|| format!("{name} died {died} times; the last time it {how}; see {}", log.display()))
    }

    /// Kills a process with SIGKILL; it is started again.
    pub(crate) fn kill(&self, name: &str) {
        if let Some(process) = self.processes.get(name) {
            process.signal(Signal::SIGKILL);
        }
    }

    /// Kills a process with SIGKILL and leaves it down.
    pub(crate) async fn halt(&self, name: &str) {
        if let Some(process) = self.processes.get(name) {
            process.halt().await;
        }
    }

    /// Starts a process that was halted.
    pub(crate) async fn resume(&self, name: &str) {
        if let Some(process) = self.processes.get(name) {
            process.resume().await;
        }
    }

    /// Stops every process: services first, then the broker and the outside world.
    pub(crate) async fn stop(mut self) {
        let names = services::programs();
        let (services, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.processes).into_iter().partition(|(name, _)| names.contains(name));
        for group in [services, rest] {
            join_all(group.into_iter().map(|(_, process)| process.stop())).await;
        }
        self.recorder.abort();
        self.streams.abort();
        let _ = std::fs::remove_file(self.layout.run_file());
    }

    fn log(&self, name: &str) -> PathBuf {
        self.layout.logs().join(format!("{name}.log"))
    }
}

/// Passes on what happens to a process.
fn tell(process: &'static str, notices: &mpsc::UnboundedSender<Notice>) -> impl Fn(String) + Send + Sync + use<> {
    let notices = notices.clone();
    move |text| {
        // Nobody may be listening any more while the system stops.
        let _ = notices.send(Notice { process, text });
    }
}

/// Tells whether a health endpoint answers 200.
pub(crate) async fn is_ready(http: &reqwest::Client, url: &str) -> bool {
    let answer = http.get(url).timeout(Duration::from_secs(1)).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// Has a local system's broker, where one runs, read its users and certificates again.
///
/// # Errors
/// When the system cannot be looked at, or the signal cannot be sent.
pub(crate) fn reads_again(layout: &Layout) -> Result<()> {
    let Some(process) = running(layout)?.and_then(|run| run.processes.get("nats").and_then(|state| state.pid)) else {
        return Ok(());
    };
    kill(Pid::from_raw(i32::try_from(process)?), Signal::SIGHUP).context("cannot have the broker read its certificates")
}

/// The run file of a system whose supervisor is alive.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn running(layout: &Layout) -> Result<Option<RunFile>> {
    if !layout.run_file().exists() || layout.lock()?.is_some() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(layout.run_file()).context("cannot read the run file")?;
    Ok(Some(serde_json::from_str(&text).context("the run file is damaged")?))
}

fn names() -> impl Iterator<Item = &'static str> {
    ["nats", "outside"].into_iter().chain(services::programs())
}

fn spec(layout: &Layout, name: &str) -> Result<Spec> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let text = |path: PathBuf| path.display().to_string();
    let (args, env) = match name {
        "nats" => (
            vec!["tied".to_owned(), broker::program()?, "--config".to_owned(), text(layout.nats_config())],
            BTreeMap::new(),
        ),
        "outside" => {
            let (listen, data) = (format!("127.0.0.1:{}", layout.port(name)), text(layout.outside_data()));
            (
                vec![
                    "outside".to_owned(),
                    "--tied".to_owned(),
                    "--listen".to_owned(),
                    listen,
                    "--data".to_owned(),
                    data,
                ],
                BTreeMap::new(),
            )
        }
        service => (vec!["service".to_owned(), "--tied".to_owned(), service.to_owned()], layout.env(service)),
    };
    Ok(Spec { program, args, env, log: layout.logs().join(format!("{name}.log")), grace: STOP_GRACE })
}

/// Keeps the run file equal to the processes' states.
async fn record(path: PathBuf, mut states: BTreeMap<&'static str, watch::Receiver<State>>) {
    loop {
        let processes =
            states.iter_mut().map(|(name, state)| ((*name).to_owned(), state.borrow_and_update().clone())).collect();
        let run = RunFile { supervisor: std::process::id(), processes };
        let temporary = path.with_extension("tmp");
        let written = serde_json::to_vec_pretty(&run)
            .map_err(std::io::Error::from)
            .and_then(|text| std::fs::write(&temporary, text))
            .and_then(|()| std::fs::rename(&temporary, &path));
        if let Err(error) = written {
            tracing::warn!(%error, "cannot write the run file");
        }
        let changes = states.values_mut().map(|state| Box::pin(state.changed()));
        if futures::future::select_all(changes).await.0.is_err() {
            return;
        }
    }
}
