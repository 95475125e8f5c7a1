//! What credentials are checked for before they are used, beyond what they have to be to be read at all.

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};
use x509_parser::prelude::{FromDer, X509Certificate, X509Error};

use super::{IdentityFiles, Material};
use crate::error::Check;
use crate::{Error, Result, crypto};

/// Whether others that trust the same authorities would let a workload in with this, now.
///
/// # Errors
/// Names the file, which check it failed, and why.
pub(super) fn usable(files: &IdentityFiles, material: &Material, now: UnixTime) -> Result<()> {
    let leaf = &material.key.cert[0];
    let parsed = parse(leaf).map_err(|why| Error::credential(&files.cert, Check::Form, why))?;
    dates(&parsed, now).map_err(|why| Error::credential(&files.cert, Check::Dates, why))?;
    usage(&parsed).map_err(|why| Error::credential(&files.cert, Check::Usage, why))?;
    chain(material, now).map_err(|why| Error::credential(&files.cert, Check::Chain, why))
}

/// Why no authority of a bundle can be made of a certificate.
pub(super) fn authority(root: &CertificateDer<'_>) -> Result<(), String> {
    let parsed = parse(root)?;
    match parsed.basic_constraints() {
        Ok(Some(constraints)) if !constraints.value.ca => Err("is no authority's".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("cannot be parsed: {error}")),
    }
}

/// What a certificate calls itself, for a person to find it by.
pub(super) fn subject(certificate: &CertificateDer<'_>) -> String {
    parse(certificate).map_or_else(|_| "no subject can be read".to_owned(), |parsed| parsed.subject().to_string())
}

/// When a certificate expires, in seconds since 1970.
pub(super) fn not_after(certificate: &CertificateDer<'_>) -> Option<i64> {
    parse(certificate).ok().map(|parsed| parsed.validity().not_after.timestamp())
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, String> {
    X509Certificate::from_der(certificate)
        .map(|(_, parsed)| parsed)
        .map_err(|error| format!("cannot be parsed: {error}"))
}

fn dates(certificate: &X509Certificate<'_>, now: UnixTime) -> Result<(), String> {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let (from, to) = (certificate.validity().not_before, certificate.validity().not_after);
    if now < from.timestamp() {
        return Err(format!("is not valid before {from}: its issuer's clock or this one is wrong, or it is for later"));
    }
    if now > to.timestamp() {
        return Err(format!("has expired on {to}: have it issued again"));
    }
    Ok(())
}

/// A workload calls and is called with the same certificate. One that says nothing of its use may be used for anything.
fn usage(certificate: &X509Certificate<'_>) -> Result<(), String> {
    let unreadable = |error: X509Error| format!("cannot be parsed: {error}");
    if let Some(usage) = certificate.key_usage().map_err(unreadable)?
        && !usage.value.digital_signature()
    {
        return Err("may not sign (key usage): have it issued with digitalSignature".to_owned());
    }
    if let Some(usage) = certificate.extended_key_usage().map_err(unreadable)? {
        let usage = usage.value;
        for (may, name) in [(usage.server_auth, "serverAuth"), (usage.client_auth, "clientAuth")] {
            if !may && !usage.any {
                return Err(format!(
                    "is not for {name} (extended key usage): have it issued with serverAuth and clientAuth"
                ));
            }
        }
    }
    Ok(())
}

/// Whether an authority of the bundle that is valid itself vouches for the certificate.
fn chain(material: &Material, now: UnixTime) -> Result<(), String> {
    let is_valid = |root: &CertificateDer<'_>| parse(root).is_ok_and(|root| dates(&root, now).is_ok());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(material.bundle.iter().filter(|root| is_valid(root)).cloned());
    let vouched = |roots: &RootCertStore| {
        let leaf = ParsedCertificate::try_from(&material.key.cert[0])?;
        let algorithms = crypto::provider().signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&leaf, roots, &material.key.cert[1..], now, algorithms)
    };
    match vouched(&roots) {
        Ok(()) => Ok(()),
        Err(_) if vouched(&material.roots).is_ok() => {
            Err("is of an authority that is not valid now, of those in the bundle: give everybody its successor"
                .to_owned())
        }
        Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)) => {
            let trusted: Vec<_> = material.bundle.iter().map(subject).collect();
            Err(format!("is of none of the authorities in the bundle ({})", trusted.join("; ")))
        }
        Err(error) => Err(format!("would be refused by others: {error}")),
    }
}
