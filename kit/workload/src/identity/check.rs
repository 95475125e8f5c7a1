//! What a workload's certificate has to say to be let in with: asked of others' in each handshake, and of our own before it is
//! used. Pure but for the clock, which is handed in.

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_SIG_ED25519};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Error};

use crate::reason::{Reason, Refusal};
use crate::{Result, SpiffeId, crypto};

/// What the mesh wants to know of a workload's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Whose it is.
    pub id: SpiffeId,
    /// When it expires, in seconds since 1970.
    pub not_after: i64,
}

/// What a workload's key signs by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    P256,
    /// ECDSA on P-384 with SHA-384.
    P384,
}

impl Leaf {
    /// Everything but who vouches for it: dates, use, and the one name, as X.509-SVID wants them.
    ///
    /// # Errors
    /// The first of them that does not hold.
    pub(crate) fn acceptable(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<Self, Refusal> {
        let parsed = parse(certificate)?;
        dates(&parsed, now)?;
        usage(&parsed)?;
        Self::of(&parsed)
    }

    /// What a certificate says that need not be acceptable, or is known to be.
    ///
    /// # Errors
    /// When it cannot be parsed, or hasn't the one name.
    pub(crate) fn read(certificate: &CertificateDer<'_>) -> Result<Self, Refusal> {
        Self::of(&parse(certificate)?)
    }

    /// The algorithm and the bits of its public key.
    pub(super) fn public_key(certificate: &CertificateDer<'_>) -> Result<(Scheme, Vec<u8>), Refusal> {
        let parsed = parse(certificate)?;
        let key = parsed.public_key();
        let curve = || key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
        let scheme = match &key.algorithm.algorithm {
            kind if *kind == OID_SIG_ED25519 => Some(Scheme::Ed25519),
            kind if *kind == OID_KEY_TYPE_EC_PUBLIC_KEY => match curve() {
                Some(curve) if curve == OID_EC_P256 => Some(Scheme::P256),
                Some(curve) if curve == OID_NIST_EC_P384 => Some(Scheme::P384),
                _ => None,
            },
            _ => None,
        };
        let no_scheme = || Refusal::new(Reason::Key, "has a key of a kind that signs nothing but connections");
        Ok((scheme.ok_or_else(no_scheme)?, key.subject_public_key.data.to_vec()))
    }

    fn of(parsed: &X509Certificate<'_>) -> Result<Self, Refusal> {
        Ok(Self { id: name(parsed)?, not_after: parsed.validity().not_after.timestamp() })
    }

    /// Refuses all but the workloads of `ours`' trust domain.
    pub(crate) fn of_domain(&self, ours: &SpiffeId) -> Result<(), Refusal> {
        if self.id.trust_domain() == ours.trust_domain() {
            return Ok(());
        }
        let text = format!("is for {}, of another trust domain than {}", self.id, ours.trust_domain());
        Err(Refusal::new(Reason::TrustDomain, text))
    }

    /// Refuses all but the one workload.
    pub(crate) fn only(&self, expected: &SpiffeId) -> Result<(), Refusal> {
        self.of_domain(expected)?;
        if self.id == *expected {
            return Ok(());
        }
        Err(Refusal::new(Reason::OtherService, format!("is for {}, expected {expected}", self.id)))
    }
}

impl Refusal {
    /// Why a certificate is no authority's that is valid now.
    pub(crate) fn of_authority(root: &CertificateDer<'_>, now: UnixTime) -> Option<Self> {
        let no_authority = |text| Self::new(Reason::NoAuthority, text);
        let valid = || parse(root).and_then(|parsed| dates(&parsed, now));
        authority(root).map_err(no_authority).and_then(|()| valid()).err()
    }
}

/// Why no authority of a bundle can be made of a certificate.
pub(super) fn authority(root: &CertificateDer<'_>) -> Result<(), String> {
    let parsed = parse(root).map_err(|refusal| refusal.to_string())?;
    match parsed.basic_constraints() {
        Ok(Some(constraints)) if !constraints.value.ca => Err("is no authority's".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("cannot be parsed: {error}")),
    }
}

/// Whether a root is valid itself.
pub(super) fn is_valid(root: &CertificateDer<'_>, now: UnixTime) -> bool {
    parse(root).is_ok_and(|root| dates(&root, now).is_ok())
}

/// What a certificate calls itself, for a person to find it by.
pub(super) fn subject(certificate: &CertificateDer<'_>) -> String {
    parse(certificate).map_or_else(|_| "no subject can be read".to_owned(), |parsed| parsed.subject().to_string())
}

/// When a certificate expires, in seconds since 1970.
pub(super) fn not_after(certificate: &CertificateDer<'_>) -> Option<i64> {
    parse(certificate).ok().map(|parsed| parsed.validity().not_after.timestamp())
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Refusal> {
    X509Certificate::from_der(certificate).map(|(_, parsed)| parsed).map_err(|error| {
        let why = match error {
            x509_parser::nom::Err::Error(why) | x509_parser::nom::Err::Failure(why) => why.to_string(),
            x509_parser::nom::Err::Incomplete(_) => "its end is missing".to_owned(),
        };
        Refusal::new(Reason::Unreadable, format!("cannot be parsed: {why}"))
    })
}

#[expect(clippy::needless_pass_by_value, reason = "what a failed call hands over")]
fn unreadable(error: X509Error) -> Refusal {
    Refusal::new(Reason::Unreadable, format!("cannot be parsed: {error}"))
}

fn dates(certificate: &X509Certificate<'_>, now: UnixTime) -> Result<(), Refusal> {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let (from, to) = (certificate.validity().not_before, certificate.validity().not_after);
    if now < from.timestamp() {
        let text = format!("is not valid before {from}: its issuer's clock or this one is wrong, or it is for later");
        return Err(Refusal::new(Reason::NotYetValid, text));
    }
    if now > to.timestamp() {
        return Err(Refusal::new(Reason::Expired, format!("has expired on {to}: have it issued again")));
    }
    Ok(())
}

/// A workload calls and is called with the same certificate, and issues none. One that says nothing of its use may be used for
/// anything.
fn usage(certificate: &X509Certificate<'_>) -> Result<(), Refusal> {
    if certificate.basic_constraints().map_err(unreadable)?.is_some_and(|constraints| constraints.value.ca) {
        let text = "is an authority's (CA bit): have one issued that may issue none itself";
        return Err(Refusal::new(Reason::CaBit, text));
    }
    if let Some(usage) = certificate.key_usage().map_err(unreadable)?
        && !usage.value.digital_signature()
    {
        let text = "may not sign (key usage): have it issued with digitalSignature";
        return Err(Refusal::new(Reason::KeyUsage, text));
    }
    if let Some(usage) = certificate.extended_key_usage().map_err(unreadable)? {
        let usage = usage.value;
        for (may, name) in [(usage.server_auth, "serverAuth"), (usage.client_auth, "clientAuth")] {
            if !may && !usage.any {
                let text =
                    format!("is not for {name} (extended key usage): have it issued with serverAuth and clientAuth");
                return Err(Refusal::new(Reason::ExtendedKeyUsage, text));
            }
        }
    }
    Ok(())
}

/// The one URI name of a certificate. What others are called is not repeated: it may be anything.
fn name(certificate: &X509Certificate<'_>) -> Result<SpiffeId, Refusal> {
    let names = certificate.subject_alternative_name().map_err(unreadable)?;
    let mut uris = names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    let Some(only) = uris.next() else {
        return Err(Refusal::new(Reason::NoName, "has no SPIFFE id among its names (no URI)"));
    };
    let others = uris.count();
    if others > 0 {
        let text = format!("has {} URIs among its names, where one SPIFFE id has to stand alone", others + 1);
        return Err(Refusal::new(Reason::SeveralNames, text));
    }
    let text = "has a URI for its name that is not of the form spiffe://<trust-domain>/svc/<name>, nor a reader's";
    SpiffeId::parse(only).map_err(|_| Refusal::new(Reason::NotSpiffe, text))
}

/// Whether one of `roots` has issued `leaf`, itself or through others.
///
/// # Errors
/// Where the chain breaks.
pub(crate) fn vouched(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    roots: &RootCertStore,
    now: UnixTime,
) -> Result<(), Refusal> {
    let algorithms = crypto::provider().signature_verification_algorithms.all;
    let verified = ParsedCertificate::try_from(leaf)
        .and_then(|leaf| verify_server_cert_signed_by_trust_anchor(&leaf, roots, intermediates, now, algorithms));
    verified.map_err(|error| match error {
        rustls::Error::InvalidCertificate(why) => Refusal::from(&why),
        other => Refusal::from(&CertificateError::Other(rustls::OtherError(std::sync::Arc::new(other)))),
    })
}
