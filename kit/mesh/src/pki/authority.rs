//! The authority as it lies in a folder: read with care, never made here.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use rcgen::{Issuer, KeyPair, PublicKeyData};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::identity::Refusal;
use crate::{Error, Reason, Result, crypto};

pub(super) const CERTIFICATE: &str = "ca.pem";
pub(super) const KEY: &str = "ca.key";

/// The authority of a folder, in order to issue `names`.
///
/// # Errors
/// When it is not there as a whole, cannot be read, has expired, or its key is another's: names the file, whom that leaves
/// without a certificate, and what to do.
pub(super) fn read(dir: &Path, names: &[&str]) -> Result<Issuer<'static, KeyPair>> {
    let advice = |path: &Path, what: String| {
        let names = names.join(", ");
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
    let (certificate, key) = (text(CERTIFICATE)?, text(KEY)?);
    let (certificate_path, key_path) = (dir.join(CERTIFICATE), dir.join(KEY));
    let unusable = |error: &dyn std::fmt::Display| advice(&certificate_path, format!("is no certificate ({error})"));

    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|error| unusable(&error))?;
    let (_, parsed) = X509Certificate::from_der(&der).map_err(|error| unusable(&error))?;
    if !parsed.is_ca() {
        return Err(advice(&certificate_path, "is no authority's".to_owned()));
    }
    if !parsed.validity().is_valid() {
        let (from, to) = (parsed.validity().not_before, parsed.validity().not_after);
        return Err(advice(&certificate_path, format!("is valid from {from} to {to} only")));
    }
    let key = KeyPair::from_pem(&key).map_err(|error| advice(&key_path, format!("is no private key ({error})")))?;
    if key.subject_public_key_info() != parsed.public_key().raw {
        return Err(advice(&key_path, "is not the key of ca.pem".to_owned()));
    }
    Issuer::from_ca_cert_der(&der, key).map_err(|error| unusable(&error))
}

/// Whether an authority of a bundle that has not expired has issued the certificate, and it is good at that time. A root's own
/// dates are not looked at in a handshake here, but are by the broker and by other people's clients.
pub(super) fn vouches(bundle: &Path, certificate: &CertificateDer<'_>, at: UnixTime) -> bool {
    let Ok(authorities) = CertificateDer::pem_file_iter(bundle) else { return false };
    let mut roots = RootCertStore::empty();
    for der in authorities.flatten() {
        if X509Certificate::from_der(&der).is_ok_and(|(_, authority)| authority.validity().is_valid()) {
            // One that cannot be a root vouches for nobody.
            let _ = roots.add(der);
        }
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crypto::provider()).build();
    verifier.is_ok_and(|verifier| verifier.verify_client_cert(certificate, &[], at).is_ok())
}
