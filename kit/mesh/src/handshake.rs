//! Names for what can go wrong in a TLS handshake: one for people, one for the counter.

use std::sync::Arc;

use rustls::AlertDescription;

use crate::identity::{Reason, Refusal};
use crate::metrics;

/// Why a connection was not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no client certificate")]
    NoCertificate,
    #[error("its certificate {0}")]
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
    /// Counts it as seen from one end: `target` is whom a client wanted to reach.
    pub(crate) fn count(&self, target: Option<&Arc<str>>) {
        metrics::handshaken(target, Some((self.result(), self.label())));
    }

    /// gRPC's word for it (A118).
    const fn result(&self) -> &'static str {
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

    /// The value of the counter's `reason`.
    const fn label(&self) -> &'static str {
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
