//! Names for what can go wrong in a TLS handshake: one for people, one for the counter.

use rustls::{AlertDescription, CertificateError};

use crate::tls::Refusal;

/// Why a connection was not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no client certificate")]
    NoCertificate,
    #[error("unknown CA")]
    UnknownCa,
    #[error("certificate expired")]
    Expired,
    #[error("certificate not valid yet")]
    NotYetValid,
    #[error(transparent)]
    Refused(Refusal),
    #[error("timed out")]
    TimedOut,
    #[error("the other side refused our certificate ({0:?})")]
    Alert(AlertDescription),
    #[error("closed by the other side")]
    Closed,
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// The value of the counter's `reason`.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::NoCertificate => "no_client_certificate",
            Self::UnknownCa => "unknown_ca",
            Self::Expired => "certificate_expired",
            Self::NotYetValid => "certificate_not_yet_valid",
            Self::Refused(Refusal::NotSpiffe) => "not_a_spiffe_id",
            Self::Refused(Refusal::TrustDomain(_)) => "wrong_trust_domain",
            Self::Refused(Refusal::OtherService { .. }) => "other_service",
            Self::TimedOut => "timed_out",
            Self::Alert(_) => "refused_by_peer",
            Self::Closed => "closed",
            Self::Other(_) => "other",
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(tls) => tls.into(),
            None if matches!(
                error.kind(),
                std::io::ErrorKind::UnexpectedEof
                    | std::io::ErrorKind::ConnectionReset
                    | std::io::ErrorKind::BrokenPipe
            ) =>
            {
                Self::Closed
            }
            None => Self::Other(error.to_string()),
        }
    }
}

impl From<&rustls::Error> for Failure {
    fn from(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::NoCertificatesPresented => Self::NoCertificate,
            rustls::Error::AlertReceived(alert) => Self::Alert(*alert),
            rustls::Error::InvalidCertificate(certificate) => match certificate {
                // A root of the same name but another key shows as a bad signature.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownCa,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
                CertificateError::Other(other) => match other.0.downcast_ref::<Refusal>() {
                    Some(refusal) => Self::Refused(refusal.clone()),
                    None => Self::Other(error.to_string()),
                },
                _ => Self::Other(error.to_string()),
            },
            _ => Self::Other(error.to_string()),
        }
    }
}
