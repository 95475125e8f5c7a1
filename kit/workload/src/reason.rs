//! Why credentials are refused: one closed list, for those of others in a handshake as for our own before they are used.

use std::fmt;

use rustls::{CertificateError, OtherError};

/// What credentials are looked at for; all of it has to be so before they are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// They can be read.
    Form,
    /// The bundle holds authorities.
    Authority,
    /// One SPIFFE id, which is this workload's.
    Name,
    /// The key is the certificate's.
    Key,
    /// They are valid now.
    Dates,
    /// They may be used on both ends of a connection.
    Usage,
    /// One of the authorities has issued them.
    Chain,
}

/// Why a certificate, a key or a bundle is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The file cannot be read, or what is in it.
    Unreadable,
    /// The bundle holds what can be no authority, or there is none to issue with.
    NoAuthority,
    /// The key is missing, or another certificate's.
    Key,
    /// The certificate's time is over.
    Expired,
    /// The certificate's time is to come.
    NotYetValid,
    /// The certificate is an authority's, which no workload may have.
    CaBit,
    /// The certificate's key may not sign.
    KeyUsage,
    /// The certificate is not for servers and clients both.
    ExtendedKeyUsage,
    /// The certificate has no URI among its names.
    NoName,
    /// The certificate has more than one.
    SeveralNames,
    /// The one it has is no workload's.
    NotSpiffe,
    /// It is a workload's of elsewhere.
    TrustDomain,
    /// It is another workload's than it has to be.
    OtherService,
    /// None of the trusted authorities has issued the certificate.
    UnknownAuthority,
    /// The authority that has is not valid now.
    AuthorityExpired,
    /// Something between the certificate and the authority does not hold.
    Chain,
}

impl Check {
    pub(crate) const ALL: [Self; 7] =
        [Self::Form, Self::Authority, Self::Name, Self::Key, Self::Dates, Self::Usage, Self::Chain];

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Authority => "authority",
            Self::Name => "name",
            Self::Key => "key",
            Self::Dates => "dates",
            Self::Usage => "usage",
            Self::Chain => "chain",
        }
    }
}

impl Reason {
    /// Its word in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NoAuthority => "no_authority",
            Self::Key => "wrong_key",
            Self::Expired => "certificate_expired",
            Self::NotYetValid => "certificate_not_yet_valid",
            Self::CaBit => "certificate_of_an_authority",
            Self::KeyUsage => "wrong_key_usage",
            Self::ExtendedKeyUsage => "wrong_extended_key_usage",
            Self::NoName => "no_spiffe_id",
            Self::SeveralNames => "several_uri_names",
            Self::NotSpiffe => "not_a_spiffe_id",
            Self::TrustDomain => "wrong_trust_domain",
            Self::OtherService => "other_service",
            Self::UnknownAuthority => "unknown_ca",
            Self::AuthorityExpired => "authority_not_valid",
            Self::Chain => "broken_chain",
        }
    }

    /// What was looked at when it was found.
    #[must_use]
    pub const fn check(self) -> Check {
        match self {
            Self::Unreadable => Check::Form,
            Self::NoAuthority => Check::Authority,
            Self::Key => Check::Key,
            Self::Expired | Self::NotYetValid => Check::Dates,
            Self::CaBit | Self::KeyUsage | Self::ExtendedKeyUsage => Check::Usage,
            Self::NoName | Self::SeveralNames | Self::NotSpiffe | Self::TrustDomain | Self::OtherService => Check::Name,
            Self::UnknownAuthority | Self::AuthorityExpired | Self::Chain => Check::Chain,
        }
    }
}

/// A reason, and what there is to say of the certificate at hand: a sentence without its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its kind.
    pub reason: Reason,
    text: String,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for rustls::Error {
    fn from(refusal: Refusal) -> Self {
        CertificateError::Other(OtherError(std::sync::Arc::new(refusal))).into()
    }
}

/// What is found while a chain is followed. The certificate's own dates and uses have been looked at before.
impl From<&CertificateError> for Refusal {
    fn from(error: &CertificateError) -> Self {
        let (reason, text) = match error {
            CertificateError::Other(other) => match other.0.downcast_ref::<Self>() {
                Some(refusal) => return refusal.clone(),
                None => (Reason::Chain, error.to_string()),
            },
            CertificateError::BadEncoding => (Reason::Unreadable, "cannot be parsed".to_owned()),
            // An authority of the same name but another key shows as a bad signature.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                (Reason::UnknownAuthority, "is of none of the trusted authorities (unknown CA)".to_owned())
            }
            _ => (Reason::Chain, format!("does not lead to a trusted authority: {error}")),
        };
        Self { reason, text }
    }
}
