//! Certificates of `echo` that nobody may accept, each for one reason, at both ends of a connection and by whoever has it.

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use rcgen::{CertificateParams, IsCa, KeyUsagePurpose, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tonic::Code;
use tradewind_mesh::{Identity, IdentityFiles};

use crate::echo::{SAY, ask};
use crate::world::{DOMAIN, World, channel, counted_of, credentials, eventually};

/// What its reason is called, what is said of it, and how it came about.
pub(crate) type Spoiled = (&'static str, &'static str, fn(&Path));

pub(crate) const EVERYWHERE: [Spoiled; 12] = [
    ("certificate_expired", "has expired on", |dir| {
        issued(dir, |it| it.not_after = it.not_before + Duration::minutes(1))
    }),
    ("certificate_not_yet_valid", "is not valid before", |dir| {
        issued(dir, |it| it.not_before += Duration::minutes(90))
    }),
    ("certificate_of_an_authority", "is an authority's (CA bit)", |dir| {
        issued(dir, |it| it.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained));
    }),
    ("wrong_key_usage", "may not sign", |dir| {
        issued(dir, |it| it.key_usages = vec![KeyUsagePurpose::KeyEncipherment]);
    }),
    ("wrong_extended_key_usage", "is not for clientAuth", |dir| {
        issued(dir, |it| it.extended_key_usages = vec![ServerAuth]);
    }),
    ("wrong_extended_key_usage", "is not for serverAuth", |dir| {
        issued(dir, |it| it.extended_key_usages = vec![ClientAuth]);
    }),
    ("no_spiffe_id", "has no SPIFFE id", |dir| {
        issued(dir, |it| it.subject_alt_names = vec![SanType::DnsName("echo".try_into().unwrap())]);
    }),
    ("several_uri_names", "has 2 URIs among its names", |dir| {
        issued(dir, |it| it.subject_alt_names.push(uri("spiffe://tradewind.test/svc/b")));
    }),
    ("several_uri_names", "has 2 URIs among its names", |dir| {
        issued(dir, |it| it.subject_alt_names.push(uri("https://tradewind.test/echo")));
    }),
    ("not_a_spiffe_id", "is not of the form spiffe://", |dir| {
        issued(dir, |it| it.subject_alt_names = vec![uri("https://tradewind.test/echo")]);
    }),
    ("wrong_trust_domain", "of another trust domain than tradewind.test", |dir| {
        issued(dir, |it| it.subject_alt_names = vec![uri("spiffe://elsewhere.test/svc/echo")]);
    }),
    ("unknown_ca", "is of none of the ", |dir| {
        let other = credentials();
        for file in ["echo.pem", "echo.key"] {
            fs::copy(other.path().join(file), dir.join(file)).unwrap();
        }
    }),
];

/// A server lets in every workload of its domain, and leaves it to the contract what each may do.
pub(crate) const OF_ANOTHER: Spoiled =
    ("other_service", "is for spiffe://tradewind.test/svc/reader, expected", |dir| {
        issued(dir, |it| it.subject_alt_names = vec![uri("spiffe://tradewind.test/svc/reader")]);
    });

pub(crate) fn now() -> time::OffsetDateTime {
    let seconds = rustls::pki_types::UnixTime::now().as_secs().try_into().unwrap();
    time::OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

/// A pair of files for `echo` that the folder's authority issued, as the test wants them.
pub(crate) fn issued(dir: &Path, make: impl FnOnce(&mut CertificateParams)) {
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    let ca =
        rcgen::Issuer::from_ca_cert_pem(&read("ca.pem"), rcgen::KeyPair::from_pem(&read("ca.key")).unwrap()).unwrap();
    let mut params = CertificateParams::default();
    let now = now();
    (params.not_before, params.not_after) = (now - Duration::hours(1), now + Duration::hours(1));
    params.subject_alt_names = vec![uri(&format!("spiffe://{DOMAIN}/svc/echo"))];
    make(&mut params);
    let key = rcgen::KeyPair::generate().unwrap();
    fs::write(dir.join("echo.pem"), params.signed_by(&key, &ca).unwrap().pem()).unwrap();
    fs::write(dir.join("echo.key"), key.serialize_pem()).unwrap();
}

fn uri(name: &str) -> SanType {
    SanType::URI(name.to_owned().try_into().unwrap())
}

#[test]
fn none_is_taken_at_start_nor_later_and_each_for_its_own_reason() {
    let wrong_key: Spoiled = ("wrong_key", "is not the key of the certificate", |dir| {
        fs::copy(dir.join("gateway.key"), dir.join("echo.key")).unwrap();
    });
    for (reason, problem, spoil) in EVERYWHERE.into_iter().chain([OF_ANOTHER, wrong_key]) {
        let dir = credentials();
        let files = IdentityFiles::in_dir(dir.path(), "echo");
        let running = Identity::load(files.clone()).unwrap();
        spoil(dir.path());
        // Who starts with another's may be that other; the program that starts looks whether it is.
        let whose = ["wrong_trust_domain", "other_service"].contains(&reason);
        let at_start = if whose { None } else { Some(Identity::load(files).unwrap_err()) };
        for error in at_start.into_iter().chain([running.reload().unwrap_err()]) {
            let told = error.to_string();
            assert_eq!(error.reason().label(), reason, "{told}");
            assert!(told.contains("echo.") && told.contains(problem) && !told.contains('\n'), "{problem}: {told}");
        }
        issued(dir.path(), |_| {});
        assert!(running.reload().unwrap(), "{problem}: a good pair is taken again");
        assert_eq!(running.generation(), 2, "what was refused is no generation");
    }
}

/// What `dir` holds for `echo`, as somebody uses it who checks nothing.
fn pair(dir: &Path) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let certificate = CertificateDer::from_pem_file(dir.join("echo.pem")).unwrap();
    (vec![certificate], PrivateKeyDer::from_pem_file(dir.join("echo.key")).unwrap())
}

fn counted(reason: &str, side: &str) -> u64 {
    counted_of(&format!("grpc.{side}.tls.handshakes"), &[("reason", reason)])
}

#[tokio::test]
async fn a_server_lets_none_of_them_in_and_counts_each_for_its_own_reason() {
    let world = World::start().await;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(world.dir.path().join("ca.pem")).unwrap()).unwrap();
    for (reason, problem, spoil) in EVERYWHERE {
        let before = counted(reason, "server");
        // The server looks at the world's folder, this is a copy.
        let dir = tempfile::tempdir().unwrap();
        for file in ["ca.pem", "ca.key"] {
            fs::copy(world.dir.path().join(file), dir.path().join(file)).unwrap();
        }
        spoil(dir.path());
        let (certificate, key) = pair(dir.path());
        let mut config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_client_auth_cert(certificate, key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        assert!(!is_let_in(config, world.address).await, "{problem}");
        eventually(problem, async || counted(reason, "server") > before).await;
    }
}

/// Connects, and says whether the server closed the connection on us: with TLS 1.3 a refused
/// client certificate shows only when the client reads.
pub(crate) async fn is_let_in(config: ClientConfig, address: SocketAddr) -> bool {
    let tcp = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let Ok(mut stream) = connector.connect(ServerName::try_from("localhost").unwrap(), tcp).await else { return false };
    // A server that let us in speaks first: HTTP/2 settings.
    matches!(stream.read(&mut [0; 1]).await, Ok(1))
}

#[tokio::test]
async fn a_client_talks_to_none_of_them_and_says_why() {
    let dir = credentials();
    let gateway = Identity::load(IdentityFiles::in_dir(dir.path(), "gateway")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    for (reason, problem, spoil) in EVERYWHERE.into_iter().chain([OF_ANOTHER]) {
        let before = counted(reason, "client");
        spoil(dir.path());
        let (certificate, key) = pair(dir.path());
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificate, key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let serving = tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let refused = acceptor.accept(tcp).await.err().map(|error| error.kind());
                assert_ne!(refused, None::<ErrorKind>, "the client goes through with the handshake");
            }
        });
        let error = ask(&channel(gateway.clone(), "echo", address), SAY, "hello").await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        assert!(error.message().contains(problem), "{problem}: {}", error.message());
        assert!(counted(reason, "client") > before, "{reason}");
        assert!(!serving.is_finished(), "nobody went through with a handshake");
        serving.abort();
    }
}
