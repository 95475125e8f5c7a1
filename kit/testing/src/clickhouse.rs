//! A ClickHouse of the tests' own.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::janitor::Janitor;
use crate::postgres::Paused;
use crate::{port, tools};

/// How long a statement may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Whom the server knows, with a password that a URL has to escape.
const USER: &str = "shop:p%40ss%27word";
const USERS: &str = "<yandex><profiles><default/></profiles><quotas><default/></quotas><users>\
    <default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>\
    <shop><password>p@ss'word</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></shop>\
    </users></yandex>";

/// A server with its HTTP interface on a free port of 127.0.0.1, gone with its data when dropped.
///
/// Its methods block for as long as the server takes.
pub struct ClickHouse {
    janitor: Janitor,
    port: u16,
    databases: AtomicU32,
}

impl ClickHouse {
    /// Starts a server and returns when it accepts clients.
    ///
    /// # Panics
    /// When there is no ClickHouse, or it does not start; the message holds its log.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        let janitor = Janitor::new("clickhouse", None, "KILL");
        let (port, folder) = (port::free_port(), janitor.folder().display());
        let configuration = format!(
            "<yandex><logger><level>warning</level><console>true</console></logger><http_port>{port}</http_port>\
             <listen_host>127.0.0.1</listen_host><path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>\
             <users_config>{folder}/users.xml</users_config><default_profile>default</default_profile>\
             <default_database>default</default_database><mark_cache_size>5242880</mark_cache_size></yandex>"
        );
        for (name, text) in [("config.xml", configuration.as_str()), ("users.xml", USERS)] {
            std::fs::write(janitor.folder().join(name), text).expect("a file in its folder");
        }
        let mut server = Self { janitor, port, databases: AtomicU32::new(0) };
        server.start_again();
        server
    }

    /// Returns the server that all tests of this process share; the first caller starts it.
    #[must_use]
    #[track_caller]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<ClickHouse> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Creates an empty database and returns its address, which names a user and a password: `http://user:password@host:port/name`.
    ///
    /// # Panics
    /// When the server is stopped.
    #[must_use]
    #[track_caller]
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run(&format!("CREATE DATABASE {name}"));
        format!("http://{USER}@127.0.0.1:{}/{name}", self.port)
    }

    /// Runs a statement and returns what it answers.
    ///
    /// # Panics
    /// When the server is stopped, or refuses it.
    #[track_caller]
    pub fn run(&self, statement: &str) -> String {
        let answer = self.post(statement).expect("a server that runs");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer of HTTP");
        assert!(head.lines().next().is_some_and(|line| line.contains(" 200 ")), "{statement}: {body}");
        body.to_owned()
    }

    /// Lets the server stand still, as one that is overloaded does, until the returned value is dropped.
    ///
    /// # Panics
    /// When it is stopped.
    #[must_use]
    #[track_caller]
    pub fn pause(&self) -> Paused {
        Paused::one(self.janitor.process())
    }

    /// Kills the server, as a crash would. Its data stays.
    pub fn stop(&mut self) {
        self.janitor.halt("KILL");
    }

    /// Starts the stopped server on the same port and returns when it accepts clients.
    ///
    /// # Panics
    /// When it does not start; the message holds its log.
    #[track_caller]
    pub fn start_again(&mut self) {
        let configuration = format!("--config-file={}", self.janitor.folder().join("config.xml").display());
        let port = self.port;
        self.janitor.start(tools::clickhouse(), &[configuration.as_ref()], || post(port, "SELECT 1").is_some());
    }

    fn post(&self, statement: &str) -> Option<String> {
        post(self.port, statement)
    }
}

/// Of HTTP as it was first, where an answer ends with its connection.
fn post(port: u16, statement: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let head = format!("POST / HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n", statement.len());
    stream.write_all(format!("{head}{statement}").as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    String::from_utf8(answer).ok().filter(|answer| answer.starts_with("HTTP/1."))
}
