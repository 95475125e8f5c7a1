//! A PostgreSQL cluster of the tests' own.

use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::janitor::{Account, Janitor};
use crate::{port, tools};

/// A PostgreSQL cluster on a free port of 127.0.0.1, gone with its data when dropped.
///
/// It is as durable as a new cluster is by default. As root it runs as an unprivileged user.
pub struct Postgres {
    janitor: Janitor,
    pub(crate) port: u16,
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

    /// Starts a cluster that speaks TLS as `postgres` of `pki` where a client asks for it.
    ///
    /// # Panics
    /// As [`start`](Self::start) does.
    #[must_use]
    #[track_caller]
    pub fn start_secured(pki: &Path) -> Self {
        Self::make(|folder| {
            let [certificate, key] = ["postgres.pem", "postgres.key"].map(|file| {
                let path = folder.join(file);
                std::fs::copy(pki.join(file), &path).expect("a certificate of `postgres`");
                if let Some(Account { user, group }) = tools::unprivileged() {
                    // The server refuses a key that is anybody else's.
                    chown(&path, Some(user), Some(group)).expect("root may give a file away");
                }
                path.display().to_string()
            });
            vec!["ssl=on".to_owned(), format!("ssl_cert_file={certificate}"), format!("ssl_key_file={key}")]
        })
    }

    /// Starts a cluster with `settings` such as `fsync=off`.
    ///
    /// # Panics
    /// As [`start`](Self::start) does.
    #[must_use]
    #[track_caller]
    pub fn start_with(settings: &[&str]) -> Self {
        Self::make(|_| settings.iter().map(|setting| (*setting).to_owned()).collect())
    }

    /// Starts a cluster with the settings made in its folder.
    #[track_caller]
    fn make(settings: impl FnOnce(&Path) -> Vec<String>) -> Self {
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
        let settings = own.into_iter().chain(settings(janitor.folder())).collect();
        let mut postgres = Self { janitor, port, settings, databases: AtomicU32::new(0) };
        postgres.start_again();
        postgres
    }

    /// Returns the cluster that all tests of this process share; the first caller starts it.
    ///
    /// Nobody stops it, so that nothing of it need be on the disk: a database is made in a tenth of the time.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start_with(&["fsync=off"]))
    }

    /// A name that no database of it has had.
    pub(crate) fn new_name(&self) -> String {
        format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns its address, without a database: `postgres://user@host:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://tradewind@127.0.0.1:{}", self.port)
    }

    /// Where its files are, its logs among them.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.janitor.folder()
    }

    /// Returns the id of the process that all others of the cluster are children of.
    ///
    /// # Panics
    /// When it is stopped.
    #[must_use]
    #[track_caller]
    pub fn process(&self) -> u32 {
        self.janitor.process()
    }

    /// Stops the cluster at once, as a crash would: it recovers from its log when started again.
    pub fn stop(&mut self) {
        self.janitor.halt("QUIT");
    }

    /// Lets every process of the cluster stand still, as an overloaded machine does, until the returned value is dropped.
    ///
    /// # Panics
    /// When the cluster is stopped.
    #[track_caller]
    pub fn pause(&self) -> Paused {
        let postmaster = self.process().to_string();
        // First the one that would start others.
        signal("STOP", std::slice::from_ref(&postmaster));
        let mut processes = children(&postmaster);
        processes.push(postmaster);
        signal("STOP", &processes);
        Paused(processes)
    }

    /// Keeps a copy of everything as it is now, for [`go_back`](Self::go_back).
    ///
    /// # Panics
    /// When it does not start again; the message holds its log.
    #[track_caller]
    pub fn keep_copy(&mut self) {
        self.stop();
        self.copy("data", "copy");
        self.start_again();
    }

    /// Puts the copy in place: what was committed since is lost, as when an asynchronous standby takes over, unless it
    /// [comes forward](Self::come_forward) again.
    ///
    /// # Panics
    /// When there is no copy, or it does not start; the message holds its log.
    #[track_caller]
    pub fn go_back(&mut self) {
        self.stop();
        self.copy("data", "latest");
        self.copy("copy", "data");
        self.start_again();
    }

    /// Puts in place again what was there when it went back: the better copy is found.
    ///
    /// # Panics
    /// When it has not gone back, or does not start; the message holds its log.
    #[track_caller]
    pub fn come_forward(&mut self) {
        self.stop();
        self.copy("latest", "data");
        self.start_again();
    }

    #[track_caller]
    fn copy(&mut self, from: &str, to: &str) {
        let [from, to] = [from, to].map(|name| self.janitor.folder().join(name));
        self.janitor.run(Path::new("rm"), &["-rf".as_ref(), to.as_os_str()]);
        self.janitor.run(Path::new("cp"), &["-a".as_ref(), from.as_os_str(), to.as_os_str()]);
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

/// The processes of a server that stand still. Dropping it lets them go on.
pub struct Paused(Vec<String>);

impl Paused {
    pub(crate) fn one(process: u32) -> Self {
        let processes = vec![process.to_string()];
        signal("STOP", &processes);
        Self(processes)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        signal("CONT", &self.0);
    }
}

fn signal(name: &str, processes: &[String]) {
    // One that has ended meanwhile needs no signal.
    let _ = Command::new("kill").arg(format!("-{name}")).args(processes).stderr(Stdio::null()).status();
}

fn children(process: &str) -> Vec<String> {
    let output = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().expect("ps lists the processes");
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let pairs = listed.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
    pairs.filter(|(_, parent)| parent.trim() == process).map(|(child, _)| child.to_owned()).collect()
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
