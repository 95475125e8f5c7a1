//! A PostgreSQL cluster of the tests' own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::janitor::Janitor;
use crate::{Database, port, tools};

/// A PostgreSQL cluster on a free port of 127.0.0.1, gone with its data when dropped.
///
/// It is as durable as a new cluster is by default. As root it runs as an unprivileged user.
pub struct Postgres {
    janitor: Janitor,
    port: u16,
    settings: Vec<String>,
    databases: AtomicU32,
}

impl Postgres {
    /// Starts a cluster and returns when it accepts clients.
    ///
    /// # Panics
    /// When there is no PostgreSQL, or it does not start; the message holds its log.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a cluster with `settings` such as `fsync=off`.
    ///
    /// # Panics
    /// As [`start`](Self::start) does.
    #[must_use]
    #[track_caller]
    pub fn start_with(settings: &[&str]) -> Self {
        // On SIGQUIT a cluster stops at once and leaves no shared memory behind.
        let mut janitor = Janitor::new("postgres", tools::unprivileged(), "QUIT");
        let data = janitor.folder().join("data");
        janitor.run(
            &tools::postgres().join("initdb"),
            &[
                "--no-sync".as_ref(),
                "--auth=trust".as_ref(),
                "--encoding=UTF8".as_ref(),
                "--locale=C".as_ref(),
                "--username=tradewind".as_ref(),
                "--pgdata".as_ref(),
                data.as_ref(),
            ],
        );
        let port = port::free_port();
        let own = [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "max_connections=300".to_owned(),
        ];
        let settings = own.into_iter().chain(settings.iter().map(|setting| (*setting).to_owned())).collect();
        let mut postgres = Self { janitor, port, settings, databases: AtomicU32::new(0) };
        postgres.start_again();
        postgres
    }

    /// Returns the cluster that all tests of this process share; the first caller starts it.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Creates an empty database.
    ///
    /// # Panics
    /// When the cluster is stopped.
    #[must_use]
    #[track_caller]
    pub fn database(&self) -> Database {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        Database::in_postgres(self.port, format!("test_{number}"))
    }

    /// Stops the cluster at once, as a crash would: it recovers from its log when started again.
    pub fn stop(&mut self) {
        self.janitor.halt("QUIT");
    }

    /// Starts the stopped cluster on the same port and returns when it accepts clients.
    ///
    /// # Panics
    /// When it does not start; the message holds its log.
    #[track_caller]
    pub fn start_again(&mut self) {
        let data = self.janitor.folder().join("data");
        let mut arguments = vec![OsStr::new("-D"), data.as_os_str()];
        for setting in &self.settings {
            arguments.extend([OsStr::new("-c"), OsStr::new(setting)]);
        }
        self.janitor.start(&tools::postgres().join("postgres"), &arguments, || is_ready(&data));
    }
}

/// A postmaster writes its state into the last line of its pid file.
fn is_ready(data: &Path) -> bool {
    std::fs::read_to_string(data.join("postmaster.pid"))
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
}

/// Runs one statement on the cluster at `port`, and returns what went wrong.
pub(crate) fn execute(port: u16, statement: &str) -> Result<(), String> {
    let output = Command::new(tools::postgres().join("psql"))
        .args(["--no-psqlrc", "--quiet", "--username=tradewind", "--dbname=postgres"])
        .args(["--host=127.0.0.1", &format!("--port={port}"), "--command", statement])
        .output()
        .map_err(|error| format!("psql: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
