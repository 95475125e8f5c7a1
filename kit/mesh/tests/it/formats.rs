//! Credentials as people's issuers write them: cert-manager, SPIRE, OpenSSL, and whoever pastes them into a template.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use rcgen::{CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tradewind_mesh::{Identity, IdentityFiles, Server, pki};

use crate::echo::{Echo, SAY, ask};
use crate::spoiled::now;
use crate::world::{DOMAIN, channel, credentials, eventually, policy};

/// As people have them from their issuers; there is nothing here that makes one.
const RSA: &str = include_str!("rsa.key");

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (now() - time::Duration::hours(1), now() + time::Duration::hours(1));
    params.subject_alt_names = vec![SanType::URI(format!("spiffe://{DOMAIN}/svc/{name}").try_into().unwrap())];
    params
}

fn authority(dir: &Path) -> Issuer<'static, KeyPair> {
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    Issuer::from_ca_cert_pem(&read("ca.pem"), KeyPair::from_pem(&read("ca.key")).unwrap()).unwrap()
}

/// A key as its algorithm's own form has it, without what wraps all of them (PKCS #8: version, algorithm, the form).
fn unwrapped(key: &KeyPair, label: &str) -> String {
    let PrivateKeyDer::Pkcs8(whole) = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap() else {
        panic!("a key is written as PKCS #8")
    };
    let (fields, _) = value(whole.secret_pkcs8_der());
    let (_, after_version) = value(fields);
    let (_, after_algorithm) = value(after_version);
    let text = base64::engine::general_purpose::STANDARD.encode(value(after_algorithm).0);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// The first value of some DER, and what follows it.
fn value(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, from) = match usize::from(der[1]) {
        short @ ..128 => (short, 2),
        long => {
            let bytes = long - 128;
            (der[2..2 + bytes].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), 2 + bytes)
        }
    };
    der[from..].split_at(length)
}

/// Calls from one to the other with what lies in `dir`.
async fn call(dir: &Path, what: &str) {
    let stop = CancellationToken::new();
    let load =
        |name: &str| Identity::load(IdentityFiles::in_dir(dir, name)).unwrap_or_else(|error| panic!("{what}: {error}"));
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), load("echo"), policy(), "echo").await.unwrap();
    let address = server.local_addr();
    tokio::spawn(server.serve(Routes::new(Echo::default()), stop.clone(), Duration::from_secs(1)));
    let answer = ask(&channel(load("gateway"), "echo", address), SAY, "hello").await;
    assert_eq!(answer.unwrap_or_else(|error| panic!("{what}: {error}")), "hello");
    stop.cancel();
}

#[tokio::test]
async fn keys_of_every_kind_and_form_are_used_at_both_ends() {
    let generate = |algorithm| KeyPair::generate_for(algorithm).unwrap();
    let p256 = || generate(&rcgen::PKCS_ECDSA_P256_SHA256);
    let p384 = || generate(&rcgen::PKCS_ECDSA_P384_SHA384);
    let rsa = || KeyPair::from_pem(RSA).unwrap();
    let whole: fn(&KeyPair) -> String = |key| key.serialize_pem();
    let sec1: fn(&KeyPair) -> String = |key| {
        let curve = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        format!("{curve}{}", unwrapped(key, "EC PRIVATE KEY"))
    };
    let pkcs1: fn(&KeyPair) -> String = |key| unwrapped(key, "RSA PRIVATE KEY");
    for (what, make, form) in [
        ("P-256, PKCS #8", &p256 as &dyn Fn() -> KeyPair, whole),
        ("P-256, SEC 1", &p256, sec1),
        ("P-384, PKCS #8", &p384, whole),
        ("P-384, SEC 1", &p384, sec1),
        ("Ed25519", &|| generate(&rcgen::PKCS_ED25519), whole),
        ("RSA, PKCS #8", &rsa, whole),
        ("RSA, PKCS #1", &rsa, pkcs1),
    ] {
        let dir = credentials();
        for name in ["echo", "gateway"] {
            let (key, files) = (make(), IdentityFiles::in_dir(dir.path(), name));
            fs::write(&files.cert, params(name).signed_by(&key, &authority(dir.path())).unwrap().pem()).unwrap();
            fs::write(&files.key, form(&key)).unwrap();
        }
        call(dir.path(), what).await;
    }
}

#[test]
fn files_are_read_whatever_stands_between_and_around_their_sections() {
    type Write = fn(&str) -> String;
    let written: [(&str, Write); 7] = [
        ("other line ends", |pem| pem.replace('\n', "\r\n")),
        ("no line end", |pem| pem.trim_end().to_owned()),
        ("text between", |pem| format!("Bag Attributes\n  friendlyName: é\n# a comment\n\n{pem}\nsubject=/CN=x\n\n")),
        ("spaces behind", |pem| pem.replace('\n', "  \n")),
        ("indented", |pem| pem.lines().map(|line| format!("    {line}\n")).collect()),
        ("a mark of byte order", |pem| format!("\u{feff}{pem}")),
        ("a mark and other line ends", |pem| format!("\u{feff}{}", pem.replace('\n', "\r\n"))),
    ];
    for (what, write) in written {
        let (dir, other) = (credentials(), credentials());
        let files = IdentityFiles::in_dir(dir.path(), "echo");
        for file in [&files.ca, &files.cert, &files.key] {
            let mut text = fs::read_to_string(file).unwrap();
            if *file == files.ca {
                text += &fs::read_to_string(other.path().join("ca.pem")).unwrap();
            }
            fs::write(file, write(&text)).unwrap();
        }
        let identity = Identity::load(files).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(identity.generations()[0].authorities.len(), 2, "{what}: none is passed over");
    }
}

#[test]
fn a_key_that_asks_for_a_password_is_called_that() {
    let dir = credentials();
    let files = IdentityFiles::in_dir(dir.path(), "echo");
    let key = fs::read_to_string(&files.key).unwrap().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    fs::write(&files.key, key).unwrap();
    let told = Identity::load(files).unwrap_err().to_string();
    assert!(told.contains("echo.key: is encrypted"), "{told}");
}

#[tokio::test]
async fn certificates_of_an_authority_below_the_trusted_one_bring_it_along() {
    let dir = credentials();
    let may_issue = |name: &str| {
        let mut params = params("nobody");
        params.subject_alt_names.clear();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params
    };
    let (above_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let above = may_issue("Above").self_signed(&above_key).unwrap().pem();
    let above_issuer = Issuer::from_ca_cert_pem(&above, above_key).unwrap();
    fs::write(dir.path().join("ca.pem"), &above).unwrap();
    let between_pem = may_issue("Between").signed_by(&key, &above_issuer).unwrap().pem();
    let issuer = Issuer::from_ca_cert_pem(&between_pem, key).unwrap();
    for name in ["echo", "gateway"] {
        let (key, files) = (KeyPair::generate().unwrap(), IdentityFiles::in_dir(dir.path(), name));
        let leaf = params(name).signed_by(&key, &issuer).unwrap().pem();
        fs::write(&files.cert, format!("{leaf}{between_pem}")).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
    }
    call(dir.path(), "a chain").await;

    let files = IdentityFiles::in_dir(dir.path(), "echo");
    let whole = fs::read_to_string(&files.cert).unwrap();
    fs::write(&files.cert, whole.replace(&between_pem, "")).unwrap();
    let refused = Identity::load(files).unwrap_err();
    assert_eq!(refused.reason().label(), "unknown_ca", "{refused}");
}

/// A folder as Kubernetes mounts a Secret: what is in it at a time is a folder of its own, behind a link.
struct Mounted(TempDir);

impl Mounted {
    fn holds(&self, version: &str, from: &Path, name: &str) {
        let dir = self.0.path();
        let files = IdentityFiles::in_dir(from, name);
        fs::create_dir(dir.join(version)).unwrap();
        for (from, to) in [(files.ca, "ca.crt"), (files.cert, "tls.crt"), (files.key, "tls.key")] {
            fs::copy(from, dir.join(version).join(to)).unwrap();
            if !dir.join(to).is_symlink() {
                std::os::unix::fs::symlink(Path::new("..data").join(to), dir.join(to)).unwrap();
            }
        }
        std::os::unix::fs::symlink(version, dir.join("..data_tmp")).unwrap();
        fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
    }

    fn files(&self) -> IdentityFiles {
        let [ca, cert, key] = ["ca.crt", "tls.crt", "tls.key"].map(|file| self.0.path().join(file));
        IdentityFiles { ca, cert, key }
    }
}

#[tokio::test]
async fn a_secret_that_is_swapped_is_taken_up() {
    let dir = credentials();
    let mounted = Mounted(tempfile::tempdir().unwrap());
    mounted.holds("..2026_1", dir.path(), "echo");
    let identity = Identity::load(mounted.files()).unwrap();
    pki::renew(dir.path(), "echo").unwrap();
    mounted.holds("..2026_2", dir.path(), "echo");
    eventually("the new one is in use", async || identity.generation() == 2).await;
    assert!(!identity.reload().unwrap());
}
