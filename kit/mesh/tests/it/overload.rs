//! More than a server can do, and those who only keep it waiting.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use h2::client::SendRequest;
use http::Request;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::Code;
use tradewind_mesh::reason;

use crate::echo::{ONCE, REPORT, SAY, VITAL, WATCH, ask, listen};
use crate::world::{World, channel, counted_of, eventually};

/// More than may be under way and waiting.
const TOO_MANY: usize = 1_500;

#[tokio::test]
async fn what_is_critical_is_served_while_the_rest_is_told_to_come_again() {
    let world = World::start().await;
    let channel = Arc::new(world.channel("operator"));
    let mut calls = JoinSet::new();
    let call = |path: &'static str| {
        let channel = channel.clone();
        async move { (path, ask(&channel, path, "wait").await) }
    };
    (0..TOO_MANY).for_each(|_| drop(calls.spawn(call(REPORT))));
    // Whoever finds no place is told at once.
    let (_, refused) = calls.join_next().await.unwrap().unwrap();
    let refused = refused.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::ResourceExhausted, Some("OVERLOADED")));
    assert_eq!(refused.metadata().get("grpc-retry-pushback-ms").unwrap(), "-1");
    (0..20).for_each(|_| drop(calls.spawn(call(VITAL))));
    let under_way = world.loads.now().under_way;
    eventually("as many as may be are under way", async || {
        u32::try_from(under_way).unwrap() == world.echo.calls.load(Ordering::SeqCst)
    })
    .await;
    eventually("what is critical waits", async || world.loads.now().waiting >= 20).await;
    world.echo.gate.add_permits(TOO_MANY + 20);
    let mut served = [0, 0];
    while let Some(ended) = calls.join_next().await {
        let (path, outcome) = ended.unwrap();
        served[usize::from(path == VITAL)] += usize::from(outcome.is_ok());
        assert!(path != VITAL || outcome.is_ok(), "{outcome:?}");
    }
    assert!(served[1] == 20 && served[0] >= under_way, "{served:?}");
    let load = world.loads.now();
    assert_eq!((load.under_way, load.waiting), (0, 0));
    assert!(counted_of("tradewind_mesh_shed", &[("criticality", "sheddable")]) > 0);
}

/// More calls than a connection is given at once.
const ON_ONE: usize = 150;

#[tokio::test]
async fn whoever_waits_for_a_connection_goes_on_when_others_have_left_it() {
    let world = World::start().await;
    // Lets one connection through; the next are taken, and lead nowhere.
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, server) = (front.local_addr().unwrap(), world.address);
    tokio::spawn(async move {
        let (mut client, _) = front.accept().await.unwrap();
        let mut server = TcpStream::connect(server).await.unwrap();
        tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        let mut others = Vec::new();
        while let Ok(other) = front.accept().await {
            others.push(other);
        }
    });
    let channel = Arc::new(channel(world.identity("operator"), "echo", address));
    let mut calls = JoinSet::new();
    for _ in 0..ON_ONE {
        let channel = channel.clone();
        calls.spawn(async move { ask(&channel, ONCE, "wait").await });
    }
    eventually("the connection is full", async || world.loads.now().under_way == 100).await;
    world.echo.gate.add_permits(ON_ONE);
    while let Some(ended) = calls.join_next().await {
        assert_eq!(ended.unwrap().unwrap(), "waited");
    }
}

#[tokio::test]
async fn a_caller_that_calls_too_often_is_turned_away_and_nobody_else() {
    let limits = "operator=5,*=100000".parse().unwrap();
    let world = World::start_as(|server| server.limiting(limits), Duration::ZERO).await;
    let operator = world.channel("operator");
    let refused = loop {
        if let Err(refused) = ask(&operator, ONCE, "hello").await {
            break refused;
        }
        assert!(world.echo.calls.load(Ordering::SeqCst) < 10_000, "it may call as often as it likes");
    };
    assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::ResourceExhausted, Some("RATE_LIMITED")));
    assert!(refused.metadata().contains_key("grpc-retry-pushback-ms"));
    for _ in 0..20 {
        ask(&world.channel("gateway"), SAY, "hello").await.unwrap();
    }
    assert!(counted_of("tradewind_mesh_rate_limited", &[("caller", "operator")]) > 0);
}

/// A connection of the operator's, and nothing on it yet.
async fn connect(world: &World, config: &Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(world.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(config.clone()).connect(name, tcp).await.unwrap()
}

/// What the operator shows a server, which may be any of its authority.
fn config(world: &World) -> Arc<ClientConfig> {
    let file = |name: &str| world.dir.path().join(name);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("ca.pem")).unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_file(file("operator.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("operator.key")).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

async fn speak(connection: TlsStream<TcpStream>) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let (sender, driver) = h2::client::handshake(connection).await.unwrap();
    (sender.ready().await.unwrap(), tokio::spawn(driver))
}

#[tokio::test]
async fn a_thousand_who_say_nothing_or_little_hurt_nobody() {
    // Both ends are in this process. Where it may not be raised, it is enough already.
    let files = ["--pid", &std::process::id().to_string(), "--nofile=4096"].map(str::to_owned);
    let _ = Command::new("prlimit").args(files).output();
    let world = World::start().await;
    let config = config(&world);
    let silent: Vec<_> = stream::iter(0..500).map(|_| connect(&world, &config)).buffer_unordered(32).collect().await;
    let slow: Vec<_> = stream::iter(0..500)
        .map(async |nth| {
            let (mut sender, driver) = speak(connect(&world, &config).await).await;
            let request = Request::post(format!("https://localhost{ONCE}")).header("content-type", "application/grpc");
            let (answer, mut body) = sender.send_request(request.body(()).unwrap(), false).unwrap();
            // Half of them send half of a message.
            body.send_data(Bytes::from_static(&[0, 0, 0, 0, 9, 10, 7][..if nth % 2 == 0 { 7 } else { 0 }]), false)
                .unwrap();
            (sender, driver, answer, body)
        })
        .buffer_unordered(32)
        .collect()
        .await;
    let channel = world.channel("gateway");
    for _ in 0..100 {
        ask(&channel, SAY, "hello").await.unwrap();
    }
    let load = world.loads.now();
    assert_eq!((load.under_way, load.waiting), (0, 0), "whoever sends slowly takes no place");
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), 100);
    drop((silent, slow));
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed_and_one_with_a_watcher_is_not() {
    let world = World::start_as(|server| server.idle_after(Duration::from_millis(200)), Duration::ZERO).await;
    let channel = world.channel("gateway");
    let mut watching = listen(&channel, WATCH, "first").await.unwrap();
    assert_eq!(watching.message().await.unwrap().as_deref(), Some("first"));
    let (_sender, driver) = speak(connect(&world, &config(&world)).await).await;
    assert!(driver.await.unwrap().is_ok(), "it is told, and closed");
    let ended = futures::poll!(std::pin::pin!(watching.message()));
    assert!(ended.is_pending(), "{ended:?}");
}
