//! What stands before the service: the gateway, or grpc-gateway, each a process of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::net::TcpStream;
use tradewind_testing::{TRUST_DOMAIN, free_port};

use super::{GATEWAY, ISSUED_BY, OTHER, SERVICE};

/// Everything is counted, and nobody asks too often.
const UNLIMITED: &str = "read address 1000000/s burst 1000000; write address 1000000/s burst 1000000; \
    write user 1000000/s burst 1000000";
/// How long one keeps awake: for longer than the service behind it takes.
const POLLS: &str = "200us";
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Gateway,
    /// One that keeps awake between requests.
    Polling,
    GrpcGateway,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gateway => GATEWAY,
            Self::Polling => "gateway, busy polling",
            Self::GrpcGateway => "grpc-gateway",
        }
    }
}

/// Limits that nobody meets: what is counted costs what it costs.
fn limits() -> String {
    let of = |kind: &str| {
        let classes = ["credentials", "read", "write", "stream"].map(|class| format!("{class} {kind} 1000000/s"));
        let places = ["requests", "streams"].map(|what| format!("{what} {kind} 1000000"));
        classes.into_iter().chain(places).collect::<Vec<_>>().join("; ")
    };
    [of("user"), of("address")].join("; ")
}

/// One that runs; it ends with this value.
pub(super) struct Front {
    pub(super) kind: Kind,
    pub(super) address: SocketAddr,
    process: Child,
}

impl Front {
    /// The gateway of a folder's `tradewind`, which believes tokens that are verified by the keys at `keys`.
    pub(super) async fn gateway(
        kind: Kind,
        programs: &Path,
        pki: &Path,
        service: SocketAddr,
        keys: SocketAddr,
    ) -> Result<Self> {
        let polls = if matches!(kind, Kind::Polling) { POLLS } else { "0s" };
        let (address, file) = (any(), |name: &str| pki.join(name).display().to_string());
        let settings = [
            ("HTTP_ADDR", address.to_string()),
            ("ADMIN_ADDR", any().to_string()),
            ("CA", file("ca.pem")),
            ("CERT", file(&format!("{GATEWAY}.pem"))),
            ("KEY", file(&format!("{GATEWAY}.key"))),
            ("TRUST_DOMAIN", TRUST_DOMAIN.to_owned()),
            ("PEERS", format!("{SERVICE}={service}")),
            ("LIMITS", UNLIMITED.to_owned()),
            ("NATS_URL", format!("nats://{}", any())),
            ("BUSY_POLL", polls.to_owned()),
            ("ISSUER", String::new()),
            ("LIMITS", limits()),
            ("TRUSTED_ISSUERS", format!("bench {ISSUED_BY} http://{keys}/ tradewind roles")),
        ];
        let mut command = Command::new(programs.join("tradewind"));
        command.args(["service", GATEWAY]);
        command.envs(settings.map(|(key, value)| (format!("TRADEWIND_{key}"), value)));
        Self::start(kind, address, command).await
    }

    /// The `grpc-gateway` of a folder, if it has one.
    pub(super) async fn grpc_gateway(programs: &Path, pki: &Path, service: SocketAddr) -> Result<Option<Self>> {
        let program = programs.join(Kind::GrpcGateway.name());
        if !program.exists() {
            return Ok(None);
        }
        let (address, mut command) = (any(), Command::new(program));
        command.args(["-listen", &address.to_string(), "-upstream", &service.to_string()]);
        command.arg("-ca").arg(pki.join("ca.pem"));
        command.arg("-certificate").arg(pki.join(format!("{OTHER}.pem")));
        command.arg("-key").arg(pki.join(format!("{OTHER}.key")));
        Self::start(Kind::GrpcGateway, address, command).await.map(Some)
    }

    async fn start(kind: Kind, address: SocketAddr, mut command: Command) -> Result<Self> {
        let process = command.stdin(Stdio::null()).spawn();
        let process = process.with_context(|| format!("cannot start {}", kind.name()))?;
        let front = Self { kind, address, process };
        let started = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            ensure!(started.elapsed() < PATIENCE, "{} does not answer", kind.name());
            tokio::time::sleep(LOOK).await;
        }
        Ok(front)
    }

    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn any() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port()).into()
}
