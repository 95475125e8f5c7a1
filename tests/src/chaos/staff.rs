//! The services of a shop as processes, each started again as soon as it dies of SIGKILL.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufRead;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use supervisor::services;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use tradewind_events::fault;
use tradewind_testing::{eventually, free_port};

use super::PATIENCE;
use super::fault::Order;
use crate::shop::{self, Shop};

/// What the program is told to be a service.
pub(super) const ROLE: &str = "service";

/// Runs a service that obeys the orders on its standard input and ends with that.
#[must_use]
pub fn serve(name: &str) -> ExitCode {
    fault::keep_journal();
    std::thread::spawn(|| {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            serde_json::from_str::<Order>(&line).expect("an order").obey();
        }
        std::process::exit(1);
    });
    tradewind_runtime::serve(shop::service(name))
}

/// Every service of a shop.
pub(super) struct Staff {
    members: BTreeMap<String, Member>,
}

/// One process, and those that take its place.
pub(super) struct Member {
    admin: SocketAddr,
    /// What is started next.
    program: Arc<Mutex<PathBuf>>,
    life: watch::Receiver<Life>,
    input: Arc<tokio::sync::Mutex<Option<ChildStdin>>>,
    _kept: AbortOnDropHandle<()>,
}

#[derive(Clone, Debug, Default)]
struct Life {
    pid: Option<u32>,
    deaths: usize,
    /// How often another program took its place.
    replaced: usize,
    /// It ended otherwise than by SIGKILL or to be replaced, and is not started again.
    ended: Option<String>,
}

impl Staff {
    /// Starts one process of each service, and returns when all are ready.
    pub(super) async fn engage(shop: &Shop, logs: &Path) -> Self {
        let hire = |name: &str| (name.to_owned(), Member::hire(name, name, shop.variables(name), logs, Duration::ZERO));
        let staff = Self { members: services::names().into_iter().map(hire).collect() };
        staff.ready().await;
        staff
    }

    pub(super) async fn ready(&self) {
        join_all(self.members.values().map(Member::ready)).await;
    }

    pub(super) fn member(&self, name: &str) -> &Member {
        &self.members[name]
    }

    /// Fails where a service has ended otherwise than by being killed.
    pub(super) fn check(&self) {
        self.members.values().for_each(Member::check);
    }
}

impl Member {
    /// Starts a process of `service` under a name of its own; what takes its place comes `absent` later.
    pub(super) fn hire(
        service: &str,
        name: &str,
        variables: Vec<(&'static str, String)>,
        logs: &Path,
        absent: Duration,
    ) -> Self {
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut variables: BTreeMap<_, _> = variables.into_iter().collect();
        variables.insert("TRADEWIND_ADMIN_ADDR", admin.to_string());
        variables.insert("TRADEWIND_INSTANCE", name.to_owned());
        variables.insert("TRADEWIND_ORDER_DEADLINE", "1h".to_owned());
        if service != "ordering" {
            variables.remove("TRADEWIND_ORDER_DEADLINE");
        }
        let program = Arc::new(Mutex::new(std::env::current_exe().unwrap()));
        let post = Post {
            service: service.to_owned(),
            program: Arc::clone(&program),
            variables,
            log: logs.join(format!("{name}.log")),
            absent,
        };
        let (told, life) = watch::channel(Life::default());
        let input = Arc::default();
        let kept = tokio::spawn(post.keep(told, Arc::clone(&input)));
        Self { admin, program, life, input, _kept: AbortOnDropHandle::new(kept) }
    }

    pub(super) async fn ready(&self) {
        let health = format!("http://{}/health/ready", self.admin);
        eventually(PATIENCE, &format!("{health} says yes"), async || {
            self.check();
            let answer = crate::process::get(&health).await.map_err(|error| error.to_string())?;
            answer.error_for_status().map(drop).map_err(|error| error.to_string())
        })
        .await;
    }

    /// Waits until it says that it does not go on, and why, in readiness and in the metric that an alert looks at.
    pub(super) async fn stops_for(&self, reason: &str) {
        let health = format!("http://{}/health/ready", self.admin);
        eventually(PATIENCE, &format!("{health} says {reason}"), async || {
            self.check();
            let text = async |answer: reqwest::Response| answer.text().await.map_err(|error| error.to_string());
            let said = text(crate::process::get(&health).await.map_err(|error| error.to_string())?).await?;
            let metrics = self.metrics().await.map_err(|error| error.to_string())?;
            let alarm = metrics.lines().any(|line| line.starts_with("tradewind_log_went_back") && line.ends_with(" 1"));
            if said.contains(reason) && alarm { Ok(()) } else { Err(said) }
        })
        .await;
    }

    pub(super) fn check(&self) {
        let ended = self.life.borrow().ended.clone();
        assert!(ended.is_none(), "a service ended by itself: {ended:?}");
    }

    /// How often it was killed.
    pub(super) fn deaths(&self) -> usize {
        self.life.borrow().deaths
    }

    /// Waits until it was killed so often, but not longer than `limit`.
    pub(super) async fn died(&self, times: usize, limit: Duration) {
        let mut life = self.life.clone();
        // In time or not: what happens next is the caller's to say.
        let _ = tokio::time::timeout(limit, life.wait_for(|life| life.deaths >= times)).await;
    }

    /// Gives the running process an order, which its successor will not know.
    pub(super) async fn tell(&self, order: &Order) {
        let line = serde_json::to_string(order).unwrap() + "\n";
        if let Some(input) = &mut *self.input.lock().await {
            // A process that has just died hears nothing.
            let _ = input.write_all(line.as_bytes()).await;
        }
    }

    /// Sends SIGKILL, if it runs.
    pub(super) fn kill(&self) {
        self.send(Signal::SIGKILL);
    }

    /// Has another `chaos` program take its place when it has ended in order, and returns when that is ready.
    pub(super) async fn replace(&self, program: &Path) {
        let replaced = self.life.borrow().replaced;
        program.clone_into(&mut self.program.lock().unwrap());
        self.send(Signal::SIGTERM);
        let mut life = self.life.clone();
        // Where it does not come, `ready` says what there is instead.
        let _ =
            tokio::time::timeout(PATIENCE, life.wait_for(|life| life.replaced > replaced && life.pid.is_some())).await;
        self.ready().await;
    }

    /// The metrics of the running process.
    pub(super) async fn metrics(&self) -> Result<String, reqwest::Error> {
        crate::process::get(&format!("http://{}/metrics", self.admin)).await?.error_for_status()?.text().await
    }

    fn send(&self, signal: Signal) {
        if let Some(pid) = self.life.borrow().pid {
            // Fails where it has ended at this moment.
            let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal);
        }
    }
}

/// What one process after the other is started from.
struct Post {
    service: String,
    program: Arc<Mutex<PathBuf>>,
    variables: BTreeMap<&'static str, String>,
    log: PathBuf,
    absent: Duration,
}

impl Post {
    async fn keep(self, told: watch::Sender<Life>, input: Arc<tokio::sync::Mutex<Option<ChildStdin>>>) {
        loop {
            let program = self.program.lock().unwrap().clone();
            let mut child = self.start(&program);
            *input.lock().await = child.stdin.take();
            told.send_modify(|life| life.pid = child.id());
            let ended = child.wait().await.expect("a child can be waited for");
            told.send_modify(|life| life.pid = None);
            if ended.success() && program != *self.program.lock().unwrap() {
                told.send_modify(|life| life.replaced += 1);
                continue;
            }
            if ended.signal() != Some(Signal::SIGKILL as i32) {
                let log = self.log.display();
                told.send_modify(|life| life.ended = Some(format!("{} with {ended}, see {log}", self.service)));
                return;
            }
            told.send_modify(|life| life.deaths += 1);
            tokio::time::sleep(self.absent).await;
        }
    }

    fn start(&self, program: &Path) -> Child {
        let log = File::options().create(true).append(true).open(&self.log).expect("a log can be written");
        Command::new(program)
            .args([ROLE, &self.service])
            .envs(&self.variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("this program can be started")
    }
}
