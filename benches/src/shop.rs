//! A whole shop out of the programs in a folder, of this build or another: a broker, a world outside that answers at once, every
//! service in a process of its own. What is measured on it is none of its business.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::future::join_all;
use serde_json::Value;
use supervisor::{Environment, Spec, Supervised, never, services};
use tempfile::TempDir;
use tradewind_mesh::{Channels, Identity, IdentityFiles, Policy};
use tradewind_testing::{Database, Nats, Postgres, free_port, scratch};

use crate::On;

const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);
const GRACE: Duration = Duration::from_secs(20);
/// What PostgreSQL needs to count statements; it comes with the server.
const COUNTED: [&str; 1] = ["shared_preload_libraries=pg_stat_statements"];

/// A shop that runs.
pub(crate) struct Shop {
    /// The services and the outside, by name.
    processes: BTreeMap<&'static str, Supervised>,
    pub(crate) broker: Nats,
    /// Where the broker tells how it is.
    pub(crate) monitor: String,
    databases: BTreeMap<&'static str, Database>,
    /// Goes after the databases in it.
    pub(crate) cluster: Option<Postgres>,
    peers: BTreeMap<String, String>,
    folder: TempDir,
    /// What services are told besides.
    told: BTreeMap<String, String>,
}

impl Shop {
    /// Starts the programs of a folder, whose services are told so besides, and returns when every one is ready.
    ///
    /// # Errors
    /// When one does not start; the message names it.
    pub(crate) async fn open(programs: &Path, on: On, told: &BTreeMap<String, String>) -> Result<Self> {
        let tradewind = programs.join("tradewind");
        let folder = scratch();
        let ask = |args: &[&str]| ask(&tradewind, folder.path(), args);
        ask(&["pki", "init"])?;
        let monitor = format!("127.0.0.1:{}", free_port());
        // What a server includes may set anything.
        let mut users: Value = serde_json::from_str(&ask(&["broker", "config"])?).context("no users of a broker")?;
        users["http"] = monitor.clone().into();
        let pki = folder.path().join("pki");
        let broker = tokio::task::block_in_place(|| Nats::start_secured(&pki, &users.to_string()));
        ask(&["broker", "init", "--nats-url", &broker.url()])?;
        let cluster = (on == On::Postgres).then(|| tokio::task::block_in_place(|| Postgres::start_with(&COUNTED)));
        let database = || cluster.as_ref().map_or_else(Database::sqlite, Postgres::database);
        // An earlier build may have fewer of them: for those it makes no certificate.
        let names = services::names().into_iter().filter(|name| pki.join(format!("{name}.pem")).is_file());
        let databases: BTreeMap<_, _> = names.map(|name| (name, database())).collect();
        let port = |name: &&str| ((*name).to_owned(), format!("127.0.0.1:{}", free_port()));
        let peers = databases.keys().map(port).collect();
        let monitor = format!("http://{monitor}");
        let mut shop =
            Self { processes: BTreeMap::new(), broker, monitor, databases, cluster, peers, folder, told: told.clone() };
        shop.start(&tradewind).await?;
        Ok(shop)
    }

    async fn start(&mut self, tradewind: &Path) -> Result<()> {
        let address = |port: u16| format!("127.0.0.1:{port}");
        let outside = address(free_port());
        let data = self.folder.path().join("outside").display().to_string();
        let args = ["outside", "--tied", "--listen", &outside, "--data", &data].map(ToOwned::to_owned);
        let mut awaited = vec![("outside", format!("http://{outside}/health/ready"))];
        self.run("outside", tradewind, args.into(), BTreeMap::new());
        let names: Vec<_> = self.databases.keys().copied().collect();
        for name in names {
            let admin = address(free_port());
            awaited.push((name, format!("http://{admin}/health/ready")));
            let variables = self.variables(name, admin, &outside);
            self.run(name, tradewind, ["service", "--tied", name].map(ToOwned::to_owned).into(), variables);
        }
        let (http, started) = (tradewind_runtime::direct().build()?, Instant::now());
        for (name, url) in awaited {
            while !http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                ensure!(
                    started.elapsed() < READY_WITHIN,
                    "{name} does not get ready; see {}",
                    self.log(name).display()
                );
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }

    fn run(&mut self, name: &'static str, program: &Path, args: Vec<String>, env: BTreeMap<String, String>) {
        let spec = Spec { program: program.to_owned(), args, env, log: self.log(name), grace: GRACE };
        let told = move |text| eprintln!("{name}: {text}");
        self.processes.insert(name, Supervised::start(spec, never(), told));
    }

    fn variables(&self, name: &str, admin: String, outside: &str) -> BTreeMap<String, String> {
        let environment = Environment {
            pki: &self.folder.path().join("pki"),
            trust_domain: "tradewind.local",
            peers: &self.peers,
            nats_url: self.broker.url(),
            outside_url: format!("http://{outside}"),
        };
        let mut variables = environment.of(name, self.databases[name].url(), admin);
        variables.extend(self.told.clone());
        variables
    }

    /// Connections of an operator's own to the services.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub(crate) fn channels(&self) -> Result<Channels> {
        let identity = Identity::load(IdentityFiles::in_dir(&self.folder.path().join("pki"), "operator"))?;
        Ok(Channels::new(identity, Policy::new(&contracts::CONTRACT), self.peers.clone()))
    }

    /// The processes that run, by name: services, broker and the outside.
    pub(crate) fn processes(&self) -> BTreeMap<&'static str, u32> {
        let running = self.processes.iter().filter_map(|(name, process)| Some((*name, process.state().borrow().pid?)));
        running.chain([("broker", self.broker.process())]).collect()
    }

    /// The files of the databases that are files.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let urls = self.databases.values().map(Database::url);
        urls.filter_map(|url| Some(PathBuf::from(url.strip_prefix("sqlite://")?))).collect()
    }

    /// Ends everything.
    ///
    /// # Errors
    /// Names the process that did not end in order.
    pub(crate) async fn close(mut self) -> Result<()> {
        let ended = std::mem::take(&mut self.processes).into_iter().map(async |(name, process)| {
            let status = process.stop().await;
            ensure!(status.is_some_and(|status| status.success()), "{name} ended in disorder: {status:?}");
            Ok(())
        });
        join_all(ended).await.into_iter().collect()
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }
}

/// What a program answers that ends by itself.
fn ask(tradewind: &Path, folder: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new(tradewind).arg("--dir").arg(folder).args(args).output();
    let output = output.with_context(|| format!("cannot run {}", tradewind.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`tradewind {}` failed: {said}", args.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}
