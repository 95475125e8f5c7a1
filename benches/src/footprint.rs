//! What each service weighs: its start, and its memory when there is nothing to do; and the program that is all of them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use supervisor::services;
use tradewind_testing::{Nats, TRUST_DOMAIN, free_port};

use crate::progress;
use crate::report::Figure;

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(2);
/// After so long a service has done what it does after its start.
const IDLE: Duration = Duration::from_secs(3);

/// One service's.
struct Footprint {
    /// From starting the process to ready, with a new database.
    start_ms: f64,
    idle_megabytes: f64,
}

/// The size of the `tradewind` among `programs`, and what each of its services weighs over SQLite and a broker that is there.
pub(crate) async fn figures(programs: &Path, folder: &Path, pki: &Path, nats: &Nats) -> Result<Vec<Figure>> {
    let tradewind = programs.join("tradewind");
    let figure = |what: String, value, unit| Figure::new(what, None, value, unit);
    let mut figures = vec![figure("tradewind: program".to_owned(), megabytes_on_disk(&tradewind)?, "MB")];
    for service in services::names() {
        progress(&format!("starting {service}"));
        let found = of(service, &tradewind, folder, pki, nats).await?;
        figures.push(figure(format!("{service}: from start to ready"), found.start_ms, "ms"));
        figures.push(figure(format!("{service}: idle memory"), found.idle_megabytes, "MB"));
    }
    Ok(figures)
}

/// Megabytes of a program on disk.
fn megabytes_on_disk(program: &Path) -> Result<f64> {
    let size = std::fs::metadata(program).with_context(|| format!("no {}", program.display()))?.len();
    Ok(f64::from(u32::try_from(size)?) / 1_048_576.0)
}

/// Starts a service of `tradewind`, which is a program, over SQLite and a broker that is there, and looks at it.
async fn of(service: &str, tradewind: &Path, folder: &Path, pki: &Path, nats: &Nats) -> Result<Footprint> {
    let admin = format!("127.0.0.1:{}", free_port());
    let file = |name: String| pki.join(name).display().to_string();
    let settings = [
        ("GRPC_ADDR", format!("127.0.0.1:{}", free_port())),
        ("ADMIN_ADDR", admin.clone()),
        ("CA", file("ca.pem".to_owned())),
        ("CERT", file(format!("{service}.pem"))),
        ("KEY", file(format!("{service}.key"))),
        ("TRUST_DOMAIN", TRUST_DOMAIN.to_owned()),
        ("DATABASE_URL", tradewind_sql::sqlite_url(&folder.join(format!("{service}.db")))),
        ("NATS_URL", nats.url()),
        ("LOG", "error".to_owned()),
    ];
    let settings = settings.map(|(key, value)| (format!("TRADEWIND_{key}"), value));
    let started = Instant::now();
    let process = Command::new(tradewind).args(["service", service]).envs(settings).stdin(Stdio::null()).spawn();
    let process = Process(process.with_context(|| format!("cannot start {}", tradewind.display()))?);
    let http = tradewind_runtime::direct().build()?;
    let ready = format!("http://{admin}/health/ready");
    while !http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
        ensure!(started.elapsed() < PATIENCE, "{service} does not get ready");
        tokio::time::sleep(LOOK).await;
    }
    let start_ms = started.elapsed().as_secs_f64() * 1000.0;
    tokio::time::sleep(IDLE).await;
    let idle_megabytes = resident_kilobytes(&process)? / 1024.0;
    Ok(Footprint { start_ms, idle_megabytes })
}

fn resident_kilobytes(Process(process): &Process) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(resident.trim_end_matches("kB").trim().parse()?)
}

/// Ends with this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
