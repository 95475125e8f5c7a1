//! Names for what can go wrong in a TLS handshake: one for people, one for the counter.

use rustls::AlertDescription;

use crate::reason::{Reason, Refusal};

/// Why a connection was not let in.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The other side showed none.
    #[error("no client certificate")]
    NoCertificate,
    /// The other side's is refused.
    #[error("its certificate {0}")]
    Refused(Refusal),
    /// It took too long.
    #[error("timed out")]
    TimedOut,
    /// The other side refused ours.
    #[error("the other side refused our certificate ({0:?})")]
    Alert(AlertDescription),
    /// The other side hung up.
    #[error("closed by the other side")]
    Closed,
    /// What there is no word for.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// gRPC's word for it (A118).
    #[must_use]
    pub const fn result(&self) -> &'static str {
        match self {
            Self::NoCertificate => "CERTIFICATE_VERIFICATION_FAILED",
            Self::Refused(refusal) => match refusal.reason {
                Reason::Expired => "CERTIFICATE_EXPIRED",
                Reason::NotYetValid => "CERTIFICATE_NOT_YET_VALID",
                Reason::NoAuthority | Reason::UnknownAuthority | Reason::AuthorityExpired => {
                    "CERTIFICATE_AUTHORITY_INVALID"
                }
                Reason::TrustDomain | Reason::OtherService => "CERTIFICATE_HOSTNAME_MISMATCH",
                Reason::Unreadable | Reason::NoName | Reason::SeveralNames | Reason::NotSpiffe => {
                    "CERTIFICATE_MALFORMED"
                }
                _ => "CERTIFICATE_VERIFICATION_FAILED",
            },
            Self::TimedOut => "HANDSHAKE_TIMEOUT",
            Self::Closed => "PEER_CONNECTION_CLOSED",
            Self::Alert(_) | Self::Other(_) => "UNKNOWN_FAILURE",
        }
    }

    /// Our word for it.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::NoCertificate => "no_client_certificate",
            Self::Refused(refusal) => refusal.reason.label(),
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
            rustls::Error::InvalidCertificate(why) => Self::Refused(why.into()),
            _ => Self::Other(error.to_string()),
        }
    }
}
