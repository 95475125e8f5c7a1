//! A broker of the test's own.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use tradewind_broker::{Retention, Streams};
use tradewind_mesh::Policy;

use crate::janitor::Janitor;
use crate::streams::Keeper;
use crate::{port, tools};

/// The file of its users, beside its configuration: a server looks for what is included there.
const USERS: &str = "users.json";

/// A nats-server with JetStream on a free port of 127.0.0.1, gone with its data when dropped.
///
/// Its methods block for the tens of milliseconds that a server takes.
pub struct Nats {
    /// Goes before its server.
    keeper: Option<Keeper>,
    janitor: Janitor,
    port: u16,
    scheme: &'static str,
    running: bool,
}

impl Nats {
    /// Starts a server and returns when it accepts clients.
    ///
    /// # Panics
    /// When there is no nats-server, or it does not start; the message holds its log.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Where it keeps what it holds.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.janitor.folder()
    }

    /// Starts a server that holds the streams of the contracts, for services in tests.
    ///
    /// # Panics
    /// As [`start`](Self::start) does.
    #[must_use]
    #[track_caller]
    pub fn start_for_services() -> Self {
        let policy = Policy::new(&contracts::CONTRACT);
        Self::start().keeping(tradewind_runtime::broker_streams(&policy, Retention::default()), None)
    }

    /// With streams, which are made again whenever they are lost; where the server asks for an identity, `pki` has it.
    ///
    /// # Panics
    /// When they cannot be made.
    #[must_use]
    #[track_caller]
    pub fn keeping(mut self, streams: Streams, pki: Option<&Path>) -> Self {
        self.keeper = Some(Keeper::start(self.url(), pki, streams));
        self
    }

    /// Starts a server that speaks TLS as `nats` of `pki`, and only with the clients that `users`, an
    /// `authorization` block, names by the SPIFFE id of their certificate.
    ///
    /// # Panics
    /// As [`start`](Self::start) does.
    #[must_use]
    #[track_caller]
    pub fn start_secured(pki: &Path, users: &str) -> Self {
        let configuration = format!(
            "tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {:?}, verify_and_map: true }}\ninclude {USERS:?}",
            pki.join("nats.pem"),
            pki.join("nats.key"),
            pki.join("ca.pem"),
        );
        Self::start_configured("tls", &configuration, users)
    }

    /// Starts a server with more `configuration`, in the syntax of its configuration file.
    ///
    /// # Panics
    /// As [`start`](Self::start) does.
    #[must_use]
    #[track_caller]
    pub fn start_with(configuration: &str) -> Self {
        Self::start_configured("nats", configuration, "")
    }

    /// Starts a server whose `configuration` may include [`USERS`].
    #[track_caller]
    fn start_configured(scheme: &'static str, configuration: &str, users: &str) -> Self {
        let janitor = Janitor::new("nats", None, "KILL");
        let port = port::free_port();
        let folder = janitor.folder();
        // Without a limit the server takes a part of what is free on the disk, and refuses streams where that is little.
        let text = format!(
            "server_name: {:?}\nlisten: \"127.0.0.1:{port}\"\n\
             jetstream {{ store_dir: {:?}, max_file_store: 32GB }}\n{configuration}\n",
            name(&janitor),
            folder.join("data"),
        );
        for (file, text) in [("nats.conf", text.as_str()), (USERS, users)] {
            std::fs::write(folder.join(file), text).expect("the new folder is writable");
        }
        let mut nats = Self { keeper: None, janitor, port, scheme, running: false };
        nats.start_again();
        nats
    }

    /// Returns the address for clients, `nats://127.0.0.1:<port>` or `tls://…`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// Returns the port clients connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the id of the server's process.
    ///
    /// # Panics
    /// When it is stopped.
    #[must_use]
    #[track_caller]
    pub fn process(&self) -> u32 {
        self.janitor.process()
    }

    /// Kills the server (SIGKILL), as a crash would, and returns when it is gone. Its data stays.
    pub fn stop(&mut self) {
        self.janitor.halt("KILL");
        self.running = false;
    }

    /// Starts the stopped server on the same port and returns when it accepts clients.
    ///
    /// # Panics
    /// When it runs already, or does not start; the message holds its log.
    #[track_caller]
    pub fn start_again(&mut self) {
        assert!(!self.running, "the broker runs already");
        let configuration = self.janitor.folder().join("nats.conf");
        let (port, name) = (self.port, name(&self.janitor));
        self.janitor.start(tools::nats_server(), &["-c".as_ref(), configuration.as_ref()], || greets_as(&name, port));
        self.running = true;
    }

    /// Deletes everything the stopped server has stored.
    ///
    /// # Panics
    /// When the server runs.
    #[track_caller]
    pub fn wipe(&mut self) {
        assert!(!self.running, "a running broker cannot be wiped: stop it first");
        std::fs::remove_dir_all(self.janitor.folder().join("data")).expect("the broker's data can be deleted");
    }
}

/// The server's name, unlike any other's.
fn name(janitor: &Janitor) -> String {
    let folder = janitor.folder().file_name().unwrap_or_default();
    folder.to_string_lossy().into_owned()
}

/// A server greets every client with an INFO line that holds its name, once it is ready.
fn greets_as(name: &str, port: u16) -> bool {
    let patience = Duration::from_secs(1);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut greeting = String::new();
    TcpStream::connect_timeout(&address, patience)
        .and_then(|stream| {
            stream.set_read_timeout(Some(patience))?;
            BufReader::new(stream).read_line(&mut greeting)
        })
        .is_ok_and(|_| greeting.starts_with("INFO ") && greeting.contains(name))
}
