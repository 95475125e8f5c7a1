//! What a service is told at start. This module is the only reader of the environment in a service.
//!
//! Values come from defaults, then the TOML file named by `TRADEWIND_CONFIG`, then `TRADEWIND_*` variables, or files that
//! `TRADEWIND_*_FILE` name; everything is checked before anything binds. What the values are used for must not be here.

mod about;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;
mod own;
mod parse;
mod sources;
#[cfg(test)]
mod tests;
mod text;

use std::{collections::BTreeMap, fmt, net::SocketAddr, time::Duration};

use tradewind_domain::Sensitive;
use tradewind_mesh::{IdentityFiles, RateLimits};

pub(crate) use about::{About, FOLDER};
pub use own::{NoSettings, Own, OwnSettings, Setting, duration, positive};
pub(crate) use parse::log as log_filter;
pub(crate) use sources::Sources;
use text::{Text, variable};

/// Everything the runtime itself needs to know to run one service.
#[derive(Clone)]
pub struct Settings {
    /// Address of the gRPC server; port 0 takes a free one.
    pub grpc_addr: SocketAddr,
    /// Address of the admin server (health and metrics, plain HTTP); port 0 takes a free one.
    pub admin_addr: SocketAddr,
    /// The certificate authority, certificate and key this service is known by.
    pub identity: IdentityFiles,
    /// The trust domain the certificate must belong to.
    pub trust_domain: String,
    /// The service's database, `sqlite:` or `postgres:`.
    pub database_url: Sensitive<String>,
    /// Partitions of the event log, where the database is yet to be born.
    pub partitions: Option<u16>,
    /// Whether a database from before there were seals begins to seal what is about somebody.
    pub seal: bool,
    /// The broker, `nats:` or `tls:`.
    pub nats_url: Sensitive<String>,
    /// `host:port` of every service this one may call, by name, or several with commas between.
    pub peers: BTreeMap<String, String>,
    /// How often each workload may call this service.
    pub rate_limits: RateLimits,
    /// Whether callers whom the contract does not name are served, and only told of.
    pub policy_shadow: bool,
    /// The name of this replica, the same after a restart; empty for none.
    pub instance: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines are written, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// How long a shutdown may take.
    pub grace: Duration,
    /// Threads that run the service.
    pub workers: usize,
    /// What is exported.
    pub otlp_signals: Signals,
    /// The share of new traces that is exported, 0 to 1.
    pub trace_ratio: f64,
    /// The OTLP gRPC endpoint to which it is.
    pub otlp_endpoint: Option<String>,
    /// What is set of the service's own settings.
    pub own: Own,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
}

/// What a process tells of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    pub traces: bool,
    pub metrics: bool,
    pub logs: bool,
}

/// A mistake in the configuration; its text names the key as the reader wrote it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{key}: {problem}")]
pub struct SettingsError {
    key: String,
    problem: String,
}

impl SettingsError {
    pub(crate) fn new(key: impl Into<String>, problem: impl fmt::Display) -> Self {
        // One line, whatever a parser had to say.
        let problem = problem.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        Self { key: key.into(), problem }
    }

    /// Names the environment variable of a setting, for mistakes that show only when its value is used.
    pub fn of(key: &str, problem: impl fmt::Display) -> Self {
        Self::new(variable(key), problem)
    }
}

impl Settings {
    /// Returns the settings of a service that runs in another process, such as a test's: free ports, no neighbours, errors alone are logged.
    pub fn in_process(identity: IdentityFiles, database_url: impl Into<String>, nats_url: impl Into<String>) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            grpc_addr: loopback,
            admin_addr: loopback,
            identity,
            trust_domain: parse::TRUST_DOMAIN.into(),
            database_url: database_url.into().into(),
            partitions: None,
            seal: false,
            nats_url: nats_url.into().into(),
            peers: BTreeMap::new(),
            rate_limits: RateLimits::default(),
            policy_shadow: false,
            instance: String::new(),
            log_format: LogFormat::Auto,
            log: "error".into(),
            grace: Duration::from_secs(10),
            workers: parse::WORKERS,
            otlp_signals: Signals { traces: true, ..Signals::default() },
            trace_ratio: 1.0,
            otlp_endpoint: None,
            own: Own::default(),
        }
    }

    /// Adds where a service this one may call listens (`host:port`).
    #[must_use]
    pub fn with_peer(mut self, service: impl Into<String>, address: impl Into<String>) -> Self {
        self.peers.insert(service.into(), address.into());
        self
    }

    /// Sets one of the service's own settings, by its key in lower case.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.own.set(key, Text::of(key, value));
        self
    }

    /// Returns the name under which this process holds leases and claims, so that it takes them back at once after a restart.
    ///
    /// An SQLite file has one process, so the service's name will do; elsewhere there is none unless it was given.
    pub(crate) fn instance(&self, service: &str) -> Option<String> {
        match self.instance.as_str() {
            "" if self.database_url.expose().starts_with("sqlite:") => Some(service.to_owned()),
            "" => None,
            instance => Some(format!("{service}@{instance}")),
        }
    }

    /// Reads the settings of the service from its sources.
    ///
    /// # Errors
    /// The first mistake found, naming its key.
    pub(crate) fn read(about: &About, sources: &Sources) -> Result<Self, SettingsError> {
        let all = all(about);
        let known = |key: &str| all.iter().any(|setting| setting.key == key && about.has(key));
        sources.refuse_unknown(|key| known(key) || about.settings.iter().any(|setting| setting.key == key))?;
        let default = |key: &str| all.iter().find(|setting| setting.key == key).map(|setting| setting.default.as_str());
        let read = |key: &str| {
            let default = default(key).unwrap_or_default();
            if about.has(key) { sources.text(key, default) } else { Ok(Text::of(key, default)) }
        };
        Ok(Self {
            grpc_addr: read("grpc_addr")?.parse(parse::address)?,
            admin_addr: read("admin_addr")?.parse(parse::address)?,
            identity: IdentityFiles {
                ca: read("ca")?.parse(parse::file)?,
                cert: read("cert")?.parse(parse::file)?,
                key: read("key")?.parse(parse::file)?,
            },
            trust_domain: read("trust_domain")?.parse(parse::trust_domain)?,
            database_url: read("database_url")?.parse(parse::database)?,
            partitions: read("partitions")?.parse(parse::partitions)?,
            seal: read("seal")?.parse_exactly(parse::switch)?,
            nats_url: read("nats_url")?.parse(parse::broker)?,
            peers: sources.peers("peers")?,
            rate_limits: read("rate_limits")?.parse(str::parse)?,
            policy_shadow: read("policy_shadow")?.parse_exactly(parse::switch)?,
            instance: read("instance")?.parse(parse::instance)?,
            log_format: read("log_format")?.parse(parse::log_format)?,
            log: read("log")?.parse(parse::log)?,
            grace: read("grace")?.parse(parse::duration)?,
            workers: read("workers")?.parse(parse::workers)?,
            otlp_signals: read("otlp_signals")?.parse(parse::signals)?,
            trace_ratio: read("trace_ratio")?.parse(parse::ratio)?,
            otlp_endpoint: sources.otlp_endpoint()?,
            own: sources.own(&about.settings)?,
        })
    }
}

/// Lists the settings that this service has as others do, with its defaults.
pub(crate) fn common(about: &About) -> Vec<Setting> {
    all(about).into_iter().filter(|setting| about.has(&setting.key)).collect()
}

fn all(about: &About) -> Vec<Setting> {
    let name = about.name;
    let file = |file: String| about.folder.join("pki").join(file).display().to_string();
    let database = tradewind_sql::sqlite_url(&about.folder.join("data").join(format!("{name}.db")));
    [
        ("grpc_addr", "address:port of the gRPC server (mTLS)", format!("127.0.0.1:{}", about.grpc_port)),
        ("admin_addr", "address:port of health and metrics (plain HTTP)", format!("127.0.0.1:{}", about.admin_port)),
        ("ca", "file with the certificates of the authorities to trust", file("ca.pem".into())),
        ("cert", "file with this service's certificate", file(format!("{name}.pem"))),
        ("key", "file with the certificate's private key", file(format!("{name}.key"))),
        ("trust_domain", "trust domain of every identity", parse::TRUST_DOMAIN.into()),
        ("database_url", "sqlite:// with a file, or postgres://", database),
        (
            "partitions",
            "partitions of the event log, 1 to 16, fixed when the database is born; empty for 1 on SQLite, 4 on PostgreSQL",
            String::new(),
        ),
        (
            "seal",
            "true: a database from before this release begins to seal what is about somebody, which a release before cannot read",
            "false".into(),
        ),
        ("nats_url", "the broker, nats:// or tls://", "tls://localhost:7422".into()),
        ("peers", "where the other services are: name=host:port, separated by commas; one named twice has two addresses", String::new()),
        (
            "rate_limits",
            "calls a second that each workload may make of one replica, as in operator=50,*=2000; empty for as many as it likes",
            String::new(),
        ),
        (
            "policy_shadow",
            "true: whom the contract does not name as a caller is served, and only told of, until policy is right again",
            "false".into(),
        ),
        (
            "instance",
            "name of this replica, unlike any other's and the same after a restart, e.g. the pod's",
            String::new(),
        ),
        ("log_format", "json, pretty, or auto: pretty on a terminal", "auto".into()),
        ("log", "what is logged: a level, or target=level, separated by commas", "info".into()),
        ("grace", "how long a shutdown may take", "10s".into()),
        ("workers", "threads that run the service", about.workers().to_string()),
        (
            "otlp_signals",
            "what is exported where OTEL_EXPORTER_OTLP_ENDPOINT is set: traces, metrics, logs, separated by commas",
            "traces".into(),
        ),
        ("trace_ratio", "share of new traces that is exported, 0 to 1", "1".into()),
    ]
    .into_iter()
    .map(|(key, meaning, default)| Setting { key: key.into(), meaning: meaning.into(), default })
    .collect()
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URLs may carry passwords and the service's own settings may be secrets: neither is shown.
        f.debug_struct("Settings")
            .field("grpc_addr", &self.grpc_addr)
            .field("admin_addr", &self.admin_addr)
            .field("trust_domain", &self.trust_domain)
            .field("peers", &self.peers)
            .field("rate_limits", &self.rate_limits)
            .field("log", &self.log)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}
