//! Certificates are made once, renewed at any time, and picked up by running processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tradewind_mesh::{Identity, IdentityFiles, pki};

use crate::echo::{SAY, ask};
use crate::spoiled::{issued, now};
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

/// An authority's certificate, valid as said, with its key.
fn authority_valid(from: time::OffsetDateTime, to: time::OffsetDateTime) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    (params.not_before, params.not_after) = (from, to);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn init_never_makes_another_authority_and_says_what_is_wrong_with_the_one_there_is() {
    let lost: fn(&Path) = |file| fs::remove_file(file).unwrap();
    let emptied: fn(&Path) = |file| fs::write(file, "").unwrap();
    let halved: fn(&Path) = |file| fs::write(file, &fs::read(file).unwrap()[..90]).unwrap();
    let anothers: fn(&Path) = |file| {
        fs::copy(credentials().path().join(file.file_name().unwrap()), file).unwrap();
    };
    let a_folder: fn(&Path) = |file| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    };
    let dangling: fn(&Path) = |file| {
        fs::remove_file(file).unwrap();
        std::os::unix::fs::symlink("nowhere", file).unwrap();
    };
    let expired: fn(&Path) = |file| {
        let (past, yesterday) =
            (time::macros::datetime!(2020-01-01 0:00 UTC), time::macros::datetime!(2021-01-01 0:00 UTC));
        let (certificate, key) = authority_valid(past, yesterday);
        fs::write(file, certificate).unwrap();
        fs::write(file.with_extension("key"), key).unwrap();
    };
    let a_leaf: fn(&Path) = |file| {
        fs::copy(file.with_file_name("gateway.pem"), file).unwrap();
    };
    for (file, spoil, problem) in [
        ("ca.key", lost, "ca.key: is missing"),
        ("ca.key", emptied, "ca.key: is no private key"),
        ("ca.key", halved, "ca.key: is no private key"),
        ("ca.key", anothers, "ca.key: is not the key of ca.pem"),
        ("ca.key", a_folder, "ca.key: cannot be read"),
        ("ca.key", dangling, "ca.key: is missing"),
        ("ca.pem", lost, "ca.pem: is missing"),
        ("ca.pem", emptied, "ca.pem: is no certificate"),
        ("ca.pem", halved, "ca.pem: is no certificate"),
        ("ca.pem", anothers, "ca.key: is not the key of ca.pem"),
        ("ca.pem", expired, "ca.pem: is valid from Jan  1"),
        ("ca.pem", a_leaf, "ca.pem: is no authority's"),
    ] {
        let dir = credentials();
        spoil(&dir.path().join(file));
        let kept = |name: &str| fs::read(dir.path().join(name)).ok();
        let before = ["ca.pem", "ca.key", "gateway.pem", "gateway.key"].map(kept);
        fs::remove_file(dir.path().join("echo.pem")).unwrap();
        let told = pki::init(dir.path(), &["echo", "gateway"], DOMAIN).unwrap_err().to_string();
        assert!(told.contains(problem) && told.contains("no certificate for echo"), "{file} {problem}: {told}");
        assert_eq!(["ca.pem", "ca.key", "gateway.pem", "gateway.key"].map(kept), before, "{problem}");
        assert!(!dir.path().join("echo.pem").exists(), "{problem}");
    }
}

#[test]
fn init_keeps_what_is_good_where_the_authority_can_issue_nothing() {
    let dir = credentials();
    fs::remove_file(dir.path().join("ca.key")).unwrap();
    let report = pki::init(dir.path(), &["echo", "gateway"], DOMAIN).unwrap();
    assert_eq!((report.made.len(), report.kept.len()), (0, 3));
    assert!(pki::renew(dir.path(), "echo").unwrap_err().to_string().contains("ca.key: is missing"));
}

#[test]
fn init_replaces_a_certificate_that_lacks_a_host() {
    let dir = tempfile::tempdir().unwrap();
    let init = |hosts: &[&str]| {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let workload = pki::Workload { name: "nats".to_owned(), hosts, ..Default::default() };
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

#[test]
fn a_certificate_that_is_for_later_is_taken_when_its_time_has_come() {
    let dir = credentials();
    let identity = Identity::load(IdentityFiles::in_dir(dir.path(), "echo")).unwrap();
    issued(dir.path(), |it| it.not_before = now() + time::Duration::seconds(2));
    assert!(identity.reload().is_err());
    // Outside of the runtime, nothing but this looks at the files.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(eventually("its time has come", async || identity.reload().unwrap()));
}

#[test]
fn one_bad_certificate_of_a_bundle_is_named() {
    let dir = credentials();
    let ca = dir.path().join("ca.pem");
    let files = IdentityFiles::in_dir(dir.path(), "echo");
    let identity = Identity::load(files.clone()).unwrap();
    let good = fs::read_to_string(&ca).unwrap();
    let leaf = fs::read_to_string(dir.path().join("gateway.pem")).unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nMIIBszCC\n-----END CERTIFICATE-----\n";
    for (second, told) in [
        (leaf.as_str(), "ca.pem: certificate 2 of 3 (CN=gateway) is no authority's"),
        (broken, "ca.pem: certificate 2 of 3 (no subject can be read) cannot be parsed"),
        ("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "ca.pem: certificate 2 is not PEM"),
    ] {
        fs::write(&ca, format!("{good}{second}{good}")).unwrap();
        for error in
            [identity.reload().unwrap_err().to_string(), Identity::load(files.clone()).unwrap_err().to_string()]
        {
            assert!(error.contains(told) && !error.contains('\n'), "{error}");
        }
    }
    let another = fs::read_to_string(credentials().path().join("ca.pem")).unwrap();
    fs::write(&ca, format!("{another}{good}")).unwrap();
    assert!(identity.reload().unwrap(), "a bundle of two authorities, as when one is replaced");
}
