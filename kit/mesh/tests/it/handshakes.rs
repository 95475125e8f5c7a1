//! Who is not let in, and what is counted about it.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tonic::Code;
use tradewind_mesh::{Identity, IdentityFiles, SpiffeId, pki};

use crate::echo::{SAY, ask};
use crate::spoiled::is_let_in;
use crate::world::{World, channel, counted, credentials, eventually};

fn refused(reason: &str) -> u64 {
    counted("grpc.server.tls.handshakes", "reason", reason)
}

#[tokio::test]
async fn a_workload_of_the_trust_domain_is_let_in() {
    let world = World::start().await;
    let mut config = world.identity("stranger").client_config();
    config.alpn_protocols = vec![b"h2".to_vec()];
    assert!(is_let_in(config, world.address).await);
}

#[tokio::test]
async fn no_certificate_is_refused_and_counted() {
    let world = World::start().await;
    let before = refused("no_client_certificate");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(world.dir.path().join("ca.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    assert!(!is_let_in(config, world.address).await);
    eventually("the refusal is counted", async || refused("no_client_certificate") > before).await;
}

/// The gateway of another authority, which trusts both.
fn foreigner(world: &World, other: &tempfile::TempDir) -> Identity {
    let both = other.path().join("both.pem");
    let bundle = [world.dir.path(), other.path()].map(|folder| std::fs::read_to_string(folder.join("ca.pem")).unwrap());
    std::fs::write(&both, bundle.concat()).unwrap();
    Identity::load(IdentityFiles { ca: both, ..IdentityFiles::in_dir(other.path(), "gateway") }).unwrap()
}

#[tokio::test]
async fn an_expired_certificate_is_refused_and_counted() {
    let world = World::start().await;
    let before = refused("certificate_expired");
    let id = SpiffeId::new(crate::world::DOMAIN, "gateway").unwrap();
    pki::issue(world.dir.path(), &id, Duration::from_secs(3)).unwrap();
    let identity = world.identity("gateway");
    eventually("the certificate has expired", async || {
        let let_in = is_let_in(identity.client_config(), world.address).await;
        !let_in && refused("certificate_expired") > before
    })
    .await;
}

#[tokio::test]
async fn one_who_says_nothing_is_cut_off_and_counted() {
    let world = World::start().await;
    let before = refused("timed_out");
    let mut silent = TcpStream::connect(world.address).await.unwrap();
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0, "the server closes the connection");
    eventually("the refusal is counted", async || refused("timed_out") > before).await;
}

#[tokio::test]
async fn many_who_say_nothing_do_not_keep_a_workload_out() {
    let world = World::start().await;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(TcpStream::connect(world.address).await.unwrap());
    }
    let channel = world.channel("gateway");
    eventually("the workload is served", async || ask(&channel, SAY, "hello").await.is_ok()).await;
    let first = silent[0].try_read(&mut [0; 1]).unwrap_err();
    assert_eq!(first.kind(), ErrorKind::WouldBlock, "it had to wait for the first of the silent to run out of time");
}

#[tokio::test]
async fn a_client_talks_to_nobody_but_the_service_it_wants() {
    let world = World::start().await;
    let wrong = ask(&channel(world.identity("gateway"), "reader", world.address), SAY, "hello").await.unwrap_err();
    assert_eq!(wrong.code(), Code::Unavailable);
    assert!(wrong.message().contains("expected spiffe://tradewind.test/svc/reader"), "{}", wrong.message());
}

#[tokio::test]
async fn a_root_added_to_the_bundle_is_trusted_without_a_restart() {
    let world = World::start().await;
    let other = credentials();
    let ca = world.dir.path().join("ca.pem");
    let foreign = foreigner(&world, &other);
    assert!(!is_let_in(foreign.client_config(), world.address).await);
    let bundle = [ca.clone(), other.path().join("ca.pem")].map(|file| std::fs::read_to_string(file).unwrap()).concat();
    std::fs::write(&ca, bundle).unwrap();
    eventually("the server reads its bundle again", async || is_let_in(foreign.client_config(), world.address).await)
        .await;
}
