//! A service whose broker will not do: it says why, and stays.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Child,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tradewind_mesh::pki;
use tradewind_testing::{Nats, eventually};

use crate::{
    TRUST_DOMAIN,
    life::{DEADLINE, get, readiness},
    program::start,
};

/// The service as a process, which ends with its owner.
struct Harbour {
    process: Child,
    /// What it has logged.
    lines: Arc<Mutex<Vec<Value>>>,
    admin: SocketAddr,
}

impl Harbour {
    async fn start(folder: &Path, nats_url: &str) -> Self {
        pki::init(folder, &["harbour"], TRUST_DOMAIN).unwrap();
        let variables = [("TRADEWIND_NATS_URL", nats_url), ("TRADEWIND_LOG_FORMAT", "json")];
        let mut process = start("serve", folder, &variables);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (logged, told) = (Arc::clone(&lines), BufReader::new(process.stderr.take().unwrap()));
        std::thread::spawn(move || {
            for line in told.lines().map_while(Result::ok) {
                logged.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        let mut harbour = Self { process, lines, admin: SocketAddr::from(([0, 0, 0, 0], 0)) };
        harbour.admin = harbour.says("started").await["fields"]["admin"].as_str().unwrap().parse().unwrap();
        harbour
    }

    /// Waits for the line with this message.
    async fn says(&self, message: &str) -> Value {
        eventually(DEADLINE, &format!("it says: {message}"), async || {
            let lines = self.lines.lock().unwrap();
            lines.iter().find(|line| line["message"] == message).cloned().ok_or_else(|| lines.clone())
        })
        .await
    }
}

impl Drop for Harbour {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server that greets as nats-server 2.8.4 and answers pings; what clients ask of it is kept.
fn server_of_yesterday() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let kept = Arc::clone(&kept);
            // A client that goes away ends its own conversation only.
            std::thread::spawn(move || converse(stream, &kept));
        }
    });
    (url, asked)
}

fn converse(mut stream: TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let greeting =
        r#"{"server_id":"OLD","version":"2.8.4","proto":1,"headers":true,"max_payload":1048576,"jetstream":true}"#;
    write!(stream, "INFO {greeting}\r\n")?;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        if line == "PING" {
            write!(stream, "PONG\r\n")?;
        }
        asked.lock().unwrap().push(line);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_too_old_is_named_and_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let (url, asked) = server_of_yesterday();
    let harbour = Harbour::start(folder.path(), &url).await;
    let line = harbour.says("the broker is not used").await;
    assert_eq!(line["level"], "ERROR");
    let reason = "nats-server 2.8.4 is too old: 2.9 or newer is needed";
    assert_eq!(line["fields"]["error"], reason);

    let report = eventually(DEADLINE, "readiness has asked", async || {
        let report = readiness(harbour.admin, 503).await;
        (report["checks"]["broker"]["error"] == "BROKER_TOO_OLD").then_some(report.clone()).ok_or(report)
    })
    .await;
    assert_eq!(report["checks"]["database"]["ok"], true);
    assert_eq!(get(harbour.admin, "/health/live").await.0, 200);
    let asked = asked.lock().unwrap();
    assert!(!asked.iter().any(|line| line.contains("PUB ")), "nothing is published: {asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_broker_refuses_is_logged_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    pki::init(folder.path(), &["nats"], TRUST_DOMAIN).unwrap();
    let permissions = r#"{ publish: { allow: ["tw.>"] }, subscribe: { allow: ["_INBOX.harbour.>"] } }"#;
    let user = format!("{{ user: \"spiffe://{TRUST_DOMAIN}/svc/harbour\", permissions: {permissions} }}");
    let nats = Nats::start_secured(folder.path(), &format!("authorization {{ users: [{user}] }}"));

    let harbour = Harbour::start(folder.path(), &nats.url()).await;
    let line = harbour.says("the broker refuses what its permissions don't grant this service").await;
    assert_eq!(line["level"], "ERROR");
    let refusal = line["fields"]["refusal"].as_str().unwrap();
    assert!(refusal.starts_with(r#"Permissions Violation for Publish to "$JS.API.STREAM."#), "{refusal}");
    assert!(refusal.ends_with(r#".TW_HARBOUR""#), "{refusal}");
    let (_, metrics) = get(harbour.admin, "/metrics").await;
    let counted =
        metrics.lines().find_map(|line| line.strip_prefix("tradewind_broker_refusals_total")).unwrap_or_default();
    assert!(counted.rsplit(' ').next().unwrap().parse().is_ok_and(|count: f64| count >= 1.0), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_does_not_know_the_service_is_named() {
    let folder = tempfile::tempdir().unwrap();
    pki::init(folder.path(), &["nats"], TRUST_DOMAIN).unwrap();
    let user = format!("{{ user: \"spiffe://{TRUST_DOMAIN}/svc/somebody\" }}");
    let nats = Nats::start_secured(folder.path(), &format!("authorization {{ users: [{user}] }}"));

    let harbour = Harbour::start(folder.path(), &nats.url()).await;
    let line = harbour.says("the broker refuses what its permissions don't grant this service").await;
    assert_eq!(line["fields"]["refusal"], "authorization violation");
    assert_eq!(readiness(harbour.admin, 503).await["ready"], false);
}
