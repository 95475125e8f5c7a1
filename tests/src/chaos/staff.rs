//! The services of a shop as processes, each started again as soon as it dies of SIGKILL.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use futures::future::join_all;
use nix::sys::signal::Signal;
use supervisor::{Death, Spec, State, Supervised, services};
use tradewind_events::fault;
use tradewind_testing::{eventually, free_port};

use super::PATIENCE;
use super::fault::Instruction;
use crate::shop::{self, Shop};

/// What the program is told to be a service.
pub(super) const ROLE: &str = "service";

/// Runs a service that obeys the orders on its standard input and ends with that.
#[must_use]
pub fn serve(name: &str) -> ExitCode {
    fault::keep_journal();
    std::thread::spawn(|| {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            serde_json::from_str::<Instruction>(&line).expect("an instruction").obey();
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
    log: PathBuf,
    supervised: Supervised,
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
        mut variables: BTreeMap<String, String>,
        logs: &Path,
        absent: Duration,
    ) -> Self {
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        variables.insert("TRADEWIND_ADMIN_ADDR".to_owned(), admin.to_string());
        variables.insert("TRADEWIND_INSTANCE".to_owned(), name.to_owned());
        if service == "ordering" {
            variables.insert("TRADEWIND_ORDER_DEADLINE".to_owned(), "1h".to_owned());
        }
        let log = logs.join(format!("{name}.log"));
        let spec = Spec {
            program: std::env::current_exe().unwrap(),
            args: [ROLE, service].map(str::to_owned).into(),
            env: variables,
            log: log.clone(),
            grace: PATIENCE,
        };
        let once_killed = move |death: Death| {
            let killed = death.status?.signal() == Some(Signal::SIGKILL as i32);
            killed.then_some(absent)
        };
        Self { admin, log, supervised: Supervised::start(spec, once_killed, |_| ()) }
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
        let State { given_up, ended, .. } = self.life();
        assert!(!given_up, "a service ended by itself: {ended:?}, see {}", self.log.display());
    }

    /// How often it was killed.
    pub(super) fn deaths(&self) -> usize {
        self.life().restarts as usize
    }

    /// Waits until it was killed so often, but not longer than `limit`.
    pub(super) async fn died(&self, times: usize, limit: Duration) {
        let mut life = self.supervised.state();
        // In time or not: what happens next is the caller's to say.
        let _ = tokio::time::timeout(limit, life.wait_for(|life| life.restarts as usize >= times)).await;
    }

    /// Instructs the running process, whose successor will not know.
    pub(super) async fn tell(&self, instruction: &Instruction) {
        self.supervised.say(&(serde_json::to_string(instruction).unwrap() + "\n")).await;
    }

    /// Sends SIGKILL, if it runs.
    pub(super) fn kill(&self) {
        self.supervised.signal(Signal::SIGKILL);
    }

    /// Has another `chaos` program take its place when it has ended in order, and returns when that is ready.
    pub(super) async fn replace(&self, program: &Path) {
        // Where it does not come, `ready` says what there is instead.
        let _ = tokio::time::timeout(PATIENCE, self.supervised.replace(program.to_owned())).await;
        self.ready().await;
    }

    /// The metrics of the running process.
    pub(super) async fn metrics(&self) -> Result<String, reqwest::Error> {
        crate::process::get(&format!("http://{}/metrics", self.admin)).await?.error_for_status()?.text().await
    }

    fn life(&self) -> State {
        self.supervised.state().borrow().clone()
    }
}
