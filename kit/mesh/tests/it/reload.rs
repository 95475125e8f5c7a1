//! Certificates are made once, renewed at any time, and picked up by running processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tradewind_mesh::{Identity, IdentityFiles, pki};

use crate::echo::{SAY, ask};
use crate::world::{DOMAIN, World, credentials, eventually};

#[test]
fn init_makes_what_is_missing_and_keeps_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let first = pki::init(dir.path(), &["a", "b"], DOMAIN).unwrap();
    assert_eq!((first.made.len(), first.kept.len()), (3, 0), "a CA and two certificates");
    let before = fs::read(dir.path().join("a.pem")).unwrap();
    let second = pki::init(dir.path(), &["a", "b", "c"], DOMAIN).unwrap();
    assert_eq!((second.made.len(), second.kept.len()), (1, 3));
    assert_eq!(fs::read(dir.path().join("a.pem")).unwrap(), before);
    for key in ["ca.key", "a.key", "c.key"] {
        let mode = fs::metadata(dir.path().join(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    let names = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(names, 8, "nothing temporary is left behind");
}

#[test]
fn init_replaces_a_certificate_of_another_ca_or_name() {
    let (dir, other) = (credentials(), credentials());
    for file in ["echo.pem", "echo.key"] {
        fs::copy(other.path().join(file), dir.path().join(file)).unwrap();
    }
    let report = pki::init(dir.path(), &["echo", "gateway"], DOMAIN).unwrap();
    assert_eq!(report.made, [dir.path().join("echo.pem")]);
    let moved = pki::init(dir.path(), &["echo"], "elsewhere.test").unwrap();
    assert_eq!(moved.made.len(), 1);
}

#[test]
fn init_replaces_a_certificate_that_lacks_a_host() {
    let dir = tempfile::tempdir().unwrap();
    let init = |hosts: &[&str]| {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let workload = pki::Workload { name: "nats".to_owned(), hosts };
        pki::init_workloads(dir.path(), &[workload], DOMAIN).unwrap().made
    };
    let cert = dir.path().join("nats.pem");
    assert!(init(&[]).contains(&cert));
    let hosts = ["nats.shop.svc", "*.nats.shop.svc"];
    assert_eq!(init(&hosts), std::slice::from_ref(&cert));
    assert!(init(&hosts).is_empty());
    assert_eq!(init(&["nats.elsewhere.svc"]), [cert]);
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let world = World::start().await;
    let client = world.identity("gateway");
    let channel = world.channel("gateway");
    ask(&channel, SAY, "before").await.unwrap();
    pki::renew(world.dir.path(), "echo").unwrap();
    let renewed = CertificateDer::from_pem_file(world.dir.path().join("echo.pem")).unwrap();
    eventually("the server presents its new certificate", async || {
        let tcp = TcpStream::connect(world.address).await.unwrap();
        let connector = TlsConnector::from(Arc::new(client.client_config()));
        let stream = connector.connect(ServerName::try_from("localhost").unwrap(), tcp).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0] == renewed
    })
    .await;
    assert_eq!(ask(&channel, SAY, "after").await.unwrap(), "after");
}

#[test]
fn a_key_of_another_certificate_leaves_the_last_good_pair_in_use() {
    let dir = credentials();
    let files = IdentityFiles::in_dir(dir.path(), "echo");
    let identity = Identity::load(files.clone()).unwrap();
    let presented = || {
        let resolver = identity.client_config().client_auth_cert_resolver;
        resolver.resolve(&[], &[]).unwrap().cert[0].clone()
    };
    let good = presented();

    let key = fs::read(&files.key).unwrap();
    fs::copy(dir.path().join("gateway.key"), &files.key).unwrap();
    let refused = identity.reload().unwrap_err();
    assert!(refused.to_string().contains("is not the key of the certificate"), "{refused}");
    assert_eq!(presented(), good);

    fs::write(&files.cert, "half a fi").unwrap();
    assert!(identity.reload().is_err());
    assert!(!identity.reload().unwrap(), "the same bad files are not reported again");
    assert_eq!(presented(), good);

    fs::write(&files.key, key).unwrap();
    pki::issue(dir.path(), &identity.spiffe_id(), pki::LEAF_VALIDITY).unwrap();
    assert!(identity.reload().unwrap());
    assert_ne!(presented(), good);
}

#[test]
fn another_identity_is_not_taken_on_while_running() {
    let dir = credentials();
    let files = IdentityFiles::in_dir(dir.path(), "echo");
    let identity = Identity::load(files.clone()).unwrap();
    fs::copy(dir.path().join("gateway.key"), &files.key).unwrap();
    fs::copy(dir.path().join("gateway.pem"), &files.cert).unwrap();
    assert!(identity.reload().is_err());
    assert_eq!(identity.spiffe_id().name(), "echo");
}
