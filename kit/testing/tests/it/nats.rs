use std::time::Duration;

use async_nats::jetstream;
use tradewind_mesh::{Identity, IdentityFiles};
use tradewind_testing::{Nats, TRUST_DOMAIN, eventually, pki};

const LONG: Duration = Duration::from_secs(20);

async fn stream_exists(nats: &Nats) -> bool {
    let client = async_nats::connect(nats.url()).await.unwrap();
    jetstream::new(client).get_stream("kept").await.is_ok()
}

#[tokio::test]
async fn a_broker_survives_a_crash_and_forgets_when_wiped() {
    let mut nats = Nats::start();
    let client = async_nats::connect(nats.url()).await.unwrap();
    let config = jetstream::stream::Config { name: "kept".to_owned(), ..Default::default() };
    jetstream::new(client.clone()).create_stream(config).await.unwrap();

    nats.stop();
    eventually(LONG, "the client to notice the crash", async || {
        client.connection_state() != async_nats::connection::State::Connected
    })
    .await;
    nats.start_again();
    eventually(LONG, "the client to be back", async || client.flush().await).await;
    assert!(stream_exists(&nats).await);

    nats.stop();
    nats.wipe();
    nats.start_again();
    assert!(!stream_exists(&nats).await);
}

#[test]
fn brokers_are_strangers_to_each_other() {
    let (one, other) = (Nats::start(), Nats::start());
    assert_ne!(one.url(), other.url());
}

#[test]
#[should_panic(expected = "stop it first")]
fn a_running_broker_is_not_wiped() {
    Nats::start().wipe();
}

#[tokio::test]
async fn a_secured_broker_serves_those_it_knows() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ours = pki(&["nats", "ordering", "stranger"]);
    let users = format!("authorization {{ users: [{{ user: \"spiffe://{TRUST_DOMAIN}/svc/ordering\" }}] }}");
    let nats = Nats::start_secured(ours.path(), &users);
    let connect = async |folder: &std::path::Path, name: &str| {
        let identity = Identity::load(IdentityFiles::in_dir(folder, name)).unwrap();
        async_nats::ConnectOptions::new().tls_client_config(identity.client_config()).connect(nats.url()).await
    };

    connect(ours.path(), "ordering").await.unwrap().flush().await.unwrap();
    let refused = connect(ours.path(), "stranger").await.unwrap_err();
    assert_eq!(refused.kind(), async_nats::ConnectErrorKind::AuthorizationViolation);

    let theirs = pki(&["ordering"]);
    // They know our authority beside their own, and the broker does not know theirs.
    let both = [&theirs, &ours].map(|pki| std::fs::read(pki.path().join("ca.pem")).unwrap()).concat();
    std::fs::write(theirs.path().join("ca.pem"), both).unwrap();
    assert!(connect(theirs.path(), "ordering").await.is_err());
}
