//! What connections are opened with, for what has none: signatures by the same key, with the certificates that prove whose they
//! are, and a look at those of others.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::pki_types::{CertificateDer, UnixTime};
use x509_parser::asn1_rs::{FromDer, Integer, Sequence};

use super::Identity;
use super::check::{Leaf, Scheme};
use super::material::Material;
use crate::reason::{Reason, Refusal};
use crate::{Error, Result, SpiffeId};

/// The credentials that were in use at one moment. Key, certificates and roots belong together, whatever is reloaded.
#[derive(Clone, Debug)]
pub struct Credentials(Arc<Material>);

/// What certificates prove that somebody has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The workload that they are of, and until when.
    pub leaf: Leaf,
    /// What its key signs by.
    pub scheme: Scheme,
    /// Its public key: 32 bytes of Ed25519, or an uncompressed point.
    pub key: Vec<u8>,
}

impl Identity {
    /// The credentials in use.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        Credentials(self.current())
    }
}

impl Credentials {
    /// Looks at a chain of certificates, leaf first, as at those that a client shows in a handshake.
    ///
    /// # Errors
    /// Why the client would not be let in, or that its key signs nothing but connections.
    pub fn vouched(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<Vouched, Refusal> {
        let [leaf, intermediates @ ..] = chain else {
            return Err(Refusal::new(Reason::Unreadable, "holds no certificate"));
        };
        let (scheme, key) = Leaf::public_key(leaf)?;
        let leaf = self.0.client(leaf, intermediates, now).map_err(|error| match error {
            rustls::Error::InvalidCertificate(why) => Refusal::from(&why),
            other => Refusal::new(Reason::Chain, format!("does not lead to a trusted authority: {other}")),
        })?;
        Ok(Vouched { leaf, scheme, key })
    }

    /// The workload that they are of.
    #[must_use]
    pub fn id(&self) -> &SpiffeId {
        &self.0.id
    }

    /// The certificates, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.0.key.cert
    }

    /// Whether these are the same credentials.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What the key signs by.
    ///
    /// # Errors
    /// For an RSA key, which signs nothing but connections.
    pub fn scheme(&self) -> Result<Scheme> {
        self.signer().map(|(scheme, _)| scheme)
    }

    /// Signs `message`. A signature by ECDSA is its two numbers side by side, each as long as the curve's (IEEE P1363).
    ///
    /// # Errors
    /// For an RSA key, and when there is no randomness.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let (scheme, signer) = self.signer()?;
        let signature = signer.sign(message)?;
        let unreadable = || Error::Tls(rustls::Error::General("a signature is not as it should be".to_owned()));
        match scheme {
            Scheme::Ed25519 => Ok(signature),
            Scheme::P256 => side_by_side(&signature, 32).ok_or_else(unreadable),
            Scheme::P384 => side_by_side(&signature, 48).ok_or_else(unreadable),
        }
    }

    fn signer(&self) -> Result<(Scheme, Box<dyn rustls::sign::Signer>)> {
        const SCHEMES: [(SignatureScheme, Scheme); 3] = [
            (SignatureScheme::ED25519, Scheme::Ed25519),
            (SignatureScheme::ECDSA_NISTP256_SHA256, Scheme::P256),
            (SignatureScheme::ECDSA_NISTP384_SHA384, Scheme::P384),
        ];
        let found = SCHEMES
            .iter()
            .find_map(|(offered, scheme)| self.0.key.key.choose_scheme(&[*offered]).map(|signer| (*scheme, signer)));
        found.ok_or_else(|| {
            Error::Name(format!(
                "the key of {} signs nothing but connections: have one issued of P-256, P-384 or Ed25519",
                self.id()
            ))
        })
    }
}

/// The two numbers of an ECDSA signature in DER, `width` bytes each.
fn side_by_side(der: &[u8], width: usize) -> Option<Vec<u8>> {
    let (_, numbers) = Sequence::from_der(der).ok()?;
    let (rest, r) = Integer::from_der(&numbers.content).ok()?;
    let (_, s) = Integer::from_der(rest).ok()?;
    let mut both = Vec::with_capacity(2 * width);
    for number in [r, s] {
        let bytes = number.as_ref();
        let bytes = bytes.strip_prefix(&[0]).unwrap_or(bytes);
        both.extend(std::iter::repeat_n(0, width.checked_sub(bytes.len())?));
        both.extend_from_slice(bytes);
    }
    Some(both)
}
