//! Folders, ports and the settings each process is given.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use supervisor::{Environment, services};
use tradewind_runtime::{FreePort, Service};

use super::Postgres;

/// The trust domain of a local system's certificates.
pub(crate) const TRUST_DOMAIN: &str = "tradewind.local";

/// The ports of one local system, all on the loopback address.
#[derive(Clone, Debug)]
pub(crate) struct Ports {
    grpc: BTreeMap<&'static str, u16>,
    admin: BTreeMap<&'static str, u16>,
    outside: u16,
    nats: u16,
    nats_monitor: u16,
    /// Those that were found free are found for nobody else meanwhile.
    _held: Arc<[FreePort]>,
}

impl Ports {
    /// The documented ports.
    pub(crate) fn standard() -> Self {
        let of_each =
            |port: fn(&Service) -> u16| services::all_and_edges().map(|each| (each.name(), port(&each))).collect();
        let (grpc, admin) = (of_each(Service::grpc_port), of_each(Service::admin_port));
        Self { grpc, admin, outside: 7300, nats: 7422, nats_monitor: 7423, _held: Arc::default() }
    }

    /// Ports that nobody else has, so that this system can run beside others.
    ///
    /// # Errors
    /// When the machine has no free port left.
    pub(crate) fn free() -> Result<Self> {
        let services = services::programs();
        let held = (0..services.len() * 2 + 3).map(|_| FreePort::find()).collect::<Result<Arc<[_]>, _>>()?;
        let ports: Vec<_> = held.iter().map(FreePort::number).collect();
        let (grpc, rest) = ports.split_at(services.len());
        let (admin, rest) = rest.split_at(services.len());
        let named = |ports: &[u16]| services.iter().copied().zip(ports.iter().copied()).collect();
        let (grpc, admin) = (named(grpc), named(admin));
        Ok(Self { grpc, admin, outside: rest[0], nats: rest[1], nats_monitor: rest[2], _held: held })
    }
}

/// Where a local system lives and listens.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pki: PathBuf,
    state: PathBuf,
    ports: Ports,
    /// Holds the services' databases; SQLite files in the data folder do where there is none.
    postgres: Option<Postgres>,
}

impl Layout {
    /// The system that `tradewind up` runs: everything in `dir`, on the documented ports.
    pub(crate) fn standard(dir: &Path) -> Self {
        Self { pki: dir.join("pki"), state: dir.to_path_buf(), ports: Ports::standard(), postgres: None }
    }

    /// The same on free ports.
    ///
    /// # Errors
    /// When the machine has no free port left.
    pub(crate) fn apart(dir: &Path) -> Result<Self> {
        Ok(Self { ports: Ports::free()?, ..Self::standard(dir) })
    }

    /// A system of its own below `dir`, on free ports; it shares only the certificates.
    ///
    /// # Errors
    /// When the machine has no free port left.
    pub(crate) fn beside(dir: &Path, name: &str) -> Result<Self> {
        Ok(Self { pki: dir.join("pki"), state: dir.join(name), ports: Ports::free()?, postgres: None })
    }

    /// The same with the services' databases on a PostgreSQL server.
    #[must_use]
    pub(crate) fn on_postgres(self, server: Postgres) -> Self {
        Self { postgres: Some(server), ..self }
    }

    /// Makes the folders and whatever certificates are missing.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn prepare(&self) -> Result<()> {
        for dir in [self.data(), self.logs()] {
            std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        }
        init_pki(&self.pki).map(drop)
    }

    /// Takes the place of the one system that may run in this folder; `None` where another has it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn lock(&self) -> Result<Option<File>> {
        std::fs::create_dir_all(&self.state).with_context(|| format!("cannot create {}", self.state.display()))?;
        let path = self.state.join("run.lock");
        let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }

    /// Makes sure that nobody else listens where a process is to listen.
    ///
    /// # Errors
    /// Names the port that is in use.
    pub(crate) fn ensure_free(&self, name: &str) -> Result<()> {
        let second = match name {
            "nats" => self.ports.nats_monitor,
            "outside" => self.ports.outside,
            service => self.admin(service),
        };
        for port in [self.port(name), second] {
            TcpListener::bind(("127.0.0.1", port)).with_context(|| format!("{name} needs port {port}"))?;
        }
        Ok(())
    }

    /// Removes data and logs, so that the next start begins with nothing.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn wipe(&self) -> Result<()> {
        for dir in [self.data(), self.logs()] {
            match std::fs::remove_dir_all(&dir) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", dir.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Certificates and keys.
    pub(crate) fn pki(&self) -> &Path {
        &self.pki
    }

    /// Everything of this system but the certificates.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// Databases and the broker's files.
    pub(crate) fn data(&self) -> PathBuf {
        self.state.join("data")
    }

    /// The record of the outside world.
    pub(crate) fn outside_data(&self) -> PathBuf {
        self.data().join("outside")
    }

    /// One log file a process.
    pub(crate) fn logs(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// What runs at the moment: written by the supervisor, read by `status` and `down`.
    pub(crate) fn run_file(&self) -> PathBuf {
        self.state.join("run.json")
    }

    /// The broker's configuration file.
    pub(crate) fn nats_config(&self) -> PathBuf {
        self.state.join("nats.conf")
    }

    /// The port on which the broker tells how it is.
    pub(super) fn nats_monitor(&self) -> u16 {
        self.ports.nats_monitor
    }

    /// The broker's address.
    pub(crate) fn nats_url(&self) -> String {
        format!("tls://127.0.0.1:{}", self.ports.nats)
    }

    /// Where the outside world answers.
    pub(crate) fn outside_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.outside)
    }

    /// Where the gateway answers whoever is outside.
    pub(crate) fn gateway_url(&self) -> String {
        format!("http://{}", self.address(services::gateway().name()))
    }

    /// Where staff sign in to the console.
    pub(crate) fn console_url(&self) -> String {
        format!("http://{}/console", self.address(services::console().name()))
    }

    /// Where a process says that it is ready.
    pub(crate) fn ready_url(&self, name: &str) -> String {
        match name {
            "nats" => format!("http://127.0.0.1:{}/healthz", self.ports.nats_monitor),
            "outside" => format!("{}/health/ready", self.outside_url()),
            service => format!("http://127.0.0.1:{}/health/ready", self.admin(service)),
        }
    }

    /// The port a process is known by: gRPC for services, HTTP for those at the edge.
    pub(crate) fn port(&self, name: &str) -> u16 {
        match name {
            "nats" => self.ports.nats,
            "outside" => self.ports.outside,
            service => self.ports.grpc.get(service).copied().unwrap_or_default(),
        }
    }

    /// Every service of a context with its gRPC address.
    pub(crate) fn peers(&self) -> BTreeMap<String, String> {
        services::names().map(|name| (name.to_owned(), self.address(name))).into()
    }

    /// The settings of one service, as environment variables.
    pub(crate) fn env(&self, service: &str) -> BTreeMap<String, String> {
        let environment = Environment {
            pki: &self.pki,
            trust_domain: TRUST_DOMAIN,
            peers: &self.peers(),
            nats_url: self.nats_url(),
            outside_url: self.outside_url(),
        };
        let admin = format!("127.0.0.1:{}", self.admin(service));
        let mut variables = environment.of(service, self.database_url(service), admin);
        if services::edges().iter().any(|edge| edge.name() == service) {
            variables.insert("TRADEWIND_HTTP_ADDR".to_owned(), self.address(service));
        }
        variables
    }

    /// Where a service's database is.
    pub(crate) fn database_url(&self, service: &str) -> String {
        match &self.postgres {
            Some(server) => server.database(service),
            None => tradewind_sql::sqlite_url(&self.data().join(format!("{service}.db"))),
        }
    }

    fn address(&self, service: &str) -> String {
        format!("127.0.0.1:{}", self.port(service))
    }

    fn admin(&self, service: &str) -> u16 {
        self.ports.admin.get(service).copied().unwrap_or_default()
    }
}

/// Makes every certificate that is missing from `dir`, and the development CA in a folder that holds nothing.
///
/// # Errors
/// When the CA that has to issue one is not there as a whole, or the file system refuses.
pub(crate) fn init_pki(dir: &Path) -> Result<tradewind_mesh::pki::Report> {
    tradewind_mesh::pki::init(dir, &services::workloads(), TRUST_DOMAIN)
        .with_context(|| format!("cannot issue certificates in {}", dir.display()))
}

/// Issues one workload's certificate again.
///
/// # Errors
/// When there is no CA in `dir`, or the file system refuses.
pub(crate) fn renew(dir: &Path, name: &str) -> Result<()> {
    tradewind_mesh::pki::renew(dir, name).with_context(|| format!("cannot renew {name} in {}", dir.display()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// So many that two would meet if each looked only for what nobody listens on.
    #[test]
    fn systems_beside_each_other_never_share_a_port() {
        let systems: Vec<_> = (0..50).map(|_| Ports::free().unwrap()).collect();
        let all = |ports: &Ports| {
            let mut all: Vec<_> = ports.grpc.values().chain(ports.admin.values()).copied().collect();
            all.extend([ports.outside, ports.nats, ports.nats_monitor]);
            all
        };
        let ports: Vec<_> = systems.iter().flat_map(all).collect();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    }
}
