//! Names for what can go wrong in a TLS handshake: one for people, one for the counter.

use opentelemetry::KeyValue;
use rustls::AlertDescription;

use crate::identity::Refusal;
use crate::observe::{self, Side};

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
    /// Counts it as seen from one end.
    pub(crate) fn count(&self, side: Side) {
        let side = match side {
            Side::Server => "server",
            Side::Client => "client",
        };
        let labels = [KeyValue::new("reason", self.label()), KeyValue::new("side", side)];
        observe::handshake_failures().add(1, &labels);
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
