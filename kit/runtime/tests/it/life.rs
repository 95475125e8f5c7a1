//! Services within this process.

use std::{net::SocketAddr, path::Path, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tradewind_mesh::{Channel, IdentityFiles};
use tradewind_runtime::{NoSettings, Parts, Running, Service, Settings};
use tradewind_testing::{Nats, channel};

use crate::{credentials, database, harbour};

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) fn settings(folder: &Path, nats_url: String) -> Settings {
    credentials(folder);
    Settings::in_process(IdentityFiles::in_dir(folder, "harbour"), database(folder), nats_url)
}

/// Connects to the service as the operator.
pub(crate) fn operators_channel(folder: &Path, running: &Running) -> Channel {
    channel(folder, "operator", "harbour", running.grpc_addr())
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Waits until `/health/ready` answers with this status, and returns what it says.
pub(crate) async fn readiness(admin: SocketAddr, expected: u16) -> Value {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let (status, body) = get(admin, "/health/ready").await;
        if status == expected {
            return serde_json::from_str(&body).unwrap();
        }
        assert!(Instant::now() < deadline, "expected {expected}, was {status}: {body}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_follows_the_broker_while_the_process_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut nats = Nats::start();
    nats.stop();
    let mut running = harbour().start(settings(folder.path(), nats.url())).await.unwrap();
    let admin = running.admin_addr();

    let report = readiness(admin, 503).await;
    assert_eq!(report["ready"], false);
    assert_eq!(get(admin, "/health/live").await.0, 200);
    nats.start_again();
    running.ready(DEADLINE).await.unwrap();
    assert_eq!(
        readiness(admin, 200).await["checks"],
        serde_json::json!({
            "broker": { "ok": true }, "database": { "ok": true }, "log": { "ok": true }, "readers": { "ok": true }
        })
    );
    nats.stop();
    let report = readiness(admin, 503).await;
    assert_eq!((&report["checks"]["broker"]["ok"], &report["checks"]["database"]["ok"]), (&false.into(), &true.into()));
    assert_eq!(get(admin, "/health/live").await.0, 200);
    nats.start_again();
    readiness(admin, 200).await;

    let (status, metrics) = get(admin, "/metrics").await;
    assert_eq!(status, 200);
    assert!(
        metrics
            .contains(&format!("tradewind_build_info{{service=\"harbour\",version=\"{}\"", tradewind_runtime::VERSION)),
        "{metrics}"
    );
    running.stop();
    running.wait().await.unwrap();
    assert!(TcpStream::connect(admin).await.is_err(), "nothing listens after the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_health_follows_readiness() {
    let folder = tempfile::tempdir().unwrap();
    let nats = Nats::start();
    let mut running = harbour().start(settings(folder.path(), nats.url())).await.unwrap();
    running.ready(DEADLINE).await.unwrap();

    let mut health = HealthClient::new(operators_channel(folder.path(), &running));
    for service in ["", "tradewind.eventlog.v1.EventLogService"] {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let answer = health.check(HealthCheckRequest { service: service.into() }).await.unwrap().into_inner();
            if answer.status() == ServingStatus::Serving {
                break;
            }
            assert!(Instant::now() < deadline, "{service:?} is {:?}", answer.status());
            sleep(Duration::from_millis(20)).await;
        }
    }
    let unknown = health.check(HealthCheckRequest { service: "nothing".into() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    running.stop();
    running.wait().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reflection_lists_what_is_served_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let nats = Nats::start();
    let mut running = harbour().start(settings(folder.path(), nats.url())).await.unwrap();
    running.ready(DEADLINE).await.unwrap();
    let mut reflection = ServerReflectionClient::new(operators_channel(folder.path(), &running));
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = reflection.server_reflection_info(tokio_stream::once(list)).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(listed)) =
        answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("expected a list of services");
    };
    let mut names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "tradewind.consumer.v1.ConsumerService",
            "tradewind.eventlog.v1.EventLogService",
            "tradewind.mesh.v1.MeshService"
        ]
    );
    running.stop();
    running.wait().await.unwrap();
}

#[tokio::test]
async fn a_service_that_composes_no_reactions_where_its_contract_declares_some_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    credentials(folder.path());
    let files = IdentityFiles::in_dir(folder.path(), "notification");
    let settings = Settings::in_process(files, database(folder.path()), "nats://127.0.0.1:1");
    let service = Service::new::<NoSettings>("notification", Vec::new, |_, _| Ok(Parts::new()));
    let mut running = service.start(settings).await.unwrap();
    let why = running.ready(DEADLINE).await.unwrap_err().to_string();
    assert_eq!(why, "notification is composed without what its contract says it reacts to");
}

#[tokio::test]
async fn a_service_that_cannot_tell_whose_its_objects_are_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    credentials(folder.path());
    let other =
        || Parts::new().owner_of("parcel_id", |_| async { Ok(None) }, |_| tonic::Status::not_found("there is none"));
    for (parts, known) in [(Parts::new as fn() -> Parts, "{}"), (other, r#"{"parcel_id"}"#)] {
        let files = IdentityFiles::in_dir(folder.path(), "ordering");
        let settings = Settings::in_process(files, database(folder.path()), "nats://127.0.0.1:1");
        let service = Service::new::<NoSettings>("ordering", Vec::new, move |_, _| Ok(parts()));
        let mut running = service.start(settings).await.unwrap();
        let why = running.ready(DEADLINE).await.unwrap_err().to_string();
        let names = r#"and its contract names objects of customers by {"order_id"}"#;
        assert_eq!(why, format!("ordering is composed to find owners by {known}, {names}"));
    }
}

#[tokio::test]
async fn the_certificate_of_another_service_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), "nats://127.0.0.1:1".into());
    settings.identity = IdentityFiles::in_dir(folder.path(), "operator");
    let why = harbour().start(settings).await.unwrap_err().to_string();
    assert!(
        why.starts_with("TRADEWIND_CERT: ")
            && why.ends_with("is for spiffe://tradewind.local/svc/operator, this is harbour"),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_of_another_context_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let nats = Nats::start();
    let mut running = harbour().start(settings(folder.path(), nats.url())).await.unwrap();
    running.ready(DEADLINE).await.unwrap();
    running.stop();
    running.wait().await.unwrap();

    let files = IdentityFiles::in_dir(folder.path(), "notification");
    let settings = Settings::in_process(files, database(folder.path()), nats.url());
    let service = Service::new::<NoSettings>("notification", Vec::new, |_, _| Ok(Parts::new()));
    let why = service.start(settings).await.unwrap().ready(DEADLINE).await.unwrap_err();
    assert!(format!("{why:#}").starts_with("TRADEWIND_DATABASE_URL: WRONG_DATABASE: "), "{why:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_say_nothing_keep_no_probe_out() {
    let folder = tempfile::tempdir().unwrap();
    let nats = Nats::start();
    let running = harbour().start(settings(folder.path(), nats.url())).await.unwrap();
    let admin = running.admin_addr();
    let mut silent = Vec::new();
    for count in 0..300 {
        let mut stream = TcpStream::connect(admin).await.unwrap();
        let half: &[u8] = if count % 2 == 0 { b"GET /health/live HTTP/1.1\r\nhost:" } else { b"" };
        stream.write_all(half).await.unwrap();
        silent.push(stream);
    }
    assert_eq!(get(admin, "/health/live").await.0, 200);
    let ended = silent[0].read(&mut [0; 512]).await.unwrap_or(0);
    assert_eq!(ended, 0, "the oldest makes room");
}
