//! The authority as it lies in a folder: made once, and read with care.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::identity::{certificates, short};
use crate::reason::Refusal;
use crate::{Error, Reason, Result, crypto};

pub(super) const CERTIFICATE: &str = "ca.pem";
pub(super) const KEY: &str = "ca.key";

const NAME: &str = "Tradewind development CA";
const VALIDITY: Duration = Duration::from_secs(3_650 * 86_400);

/// Who issues.
pub(super) struct Authority {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) issuer: Issuer<'static, KeyPair>,
}

/// The authority of a folder, in order to issue `names`: of the certificates in its bundle, the one whose key is beside it.
///
/// # Errors
/// When it is not there as a whole, cannot be read, has expired, or its key is another's: names the file, whom that leaves
/// without a certificate, and what to do.
pub(super) fn read(dir: &Path, names: &[&str]) -> Result<Authority> {
    let advice = |path: &Path, what: String| {
        let names = if names.is_empty() { "anybody".to_owned() } else { names.join(", ") };
        let text = format!(
            "{what}, and without it there is no certificate for {names}: put the authority's ca.pem and ca.key back. Another one \
             is made only where there is nothing left of the first: to begin with one, stop everything and remove the folder"
        );
        Error::credential(path, Refusal::new(Reason::NoAuthority, text))
    };
    let text = |name: &str| {
        let path = dir.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(advice(&path, "is missing".to_owned())),
            Err(error) => Err(advice(&path, format!("cannot be read ({error})"))),
        }
    };
    let (bundle, key) = (text(CERTIFICATE)?, text(KEY)?);
    let (certificate_path, key_path) = (dir.join(CERTIFICATE), dir.join(KEY));
    let unusable = |error: &dyn std::fmt::Display| advice(&certificate_path, format!("is no certificate ({error})"));

    let bundle = certificates(&certificate_path, bundle.as_bytes()).map_err(|error| unusable(&error))?;
    let key = KeyPair::from_pem(&key);
    let is_its = |der: &&CertificateDer<'_>| key.as_ref().is_ok_and(|key| is_key_of(key, der));
    let der = bundle.iter().find(is_its).unwrap_or(&bundle[0]).clone();
    let (_, parsed) = X509Certificate::from_der(&der).map_err(|error| unusable(&error))?;
    if !parsed.is_ca() {
        return Err(advice(&certificate_path, "is no authority's".to_owned()));
    }
    if !parsed.validity().is_valid() {
        let (from, to) = (parsed.validity().not_before, parsed.validity().not_after);
        return Err(advice(&certificate_path, format!("is valid from {from} to {to} only")));
    }
    let key = key.map_err(|error| advice(&key_path, format!("is no private key ({error})")))?;
    if !is_key_of(&key, &der) {
        return Err(advice(&key_path, "is not the key of ca.pem".to_owned()));
    }
    let issuer = Issuer::from_ca_cert_der(&der, key).map_err(|error| unusable(&error))?;
    Ok(Authority { certificate: der, issuer })
}

pub(super) fn is_key_of(key: &KeyPair, certificate: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(certificate)
        .is_ok_and(|(_, parsed)| key.subject_public_key_info() == parsed.public_key().raw)
}

/// A new authority: its certificate and its key, in PEM. It is called like no other, so that people can tell them apart.
pub(super) fn make() -> Result<(String, String)> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mark = short(&CertificateDer::from(key.subject_public_key_info()));
    let mut params = super::valid_for(&format!("{NAME} {}", &mark[..8]), VALIDITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// Whether an authority of a bundle that has not expired has issued the certificate, and it is good at that time. A root's own
/// dates are not looked at in a handshake here, but are by the broker and by other people's clients.
pub(super) fn vouches(bundle: &[CertificateDer<'_>], certificate: &CertificateDer<'_>, at: UnixTime) -> bool {
    let mut roots = RootCertStore::empty();
    for der in bundle {
        if X509Certificate::from_der(der).is_ok_and(|(_, authority)| authority.validity().is_valid()) {
            // One that cannot be a root vouches for nobody.
            let _ = roots.add(der.clone());
        }
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crypto::provider()).build();
    verifier.is_ok_and(|verifier| verifier.verify_client_cert(certificate, &[], at).is_ok())
}
