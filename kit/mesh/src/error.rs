use std::path::{Path, PathBuf};

/// Why the mesh could not be set up. Failures of calls are [`tonic::Status`], not this.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A certificate, key or bundle is not usable.
    #[error("{}: {message}", path.display())]
    Credential {
        /// The file at fault.
        path: PathBuf,
        /// What it was looked at for.
        check: Check,
        /// What is wrong with it.
        message: String,
    },
    /// A name or address that was handed in is malformed.
    #[error("{0}")]
    Name(String),
    /// A certificate could not be made.
    #[error("certificate: {0}")]
    Issue(#[from] rcgen::Error),
    /// The TLS settings were refused.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The address could not be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// No address is configured for a service.
    #[error("no address is configured for peer `{0}`")]
    UnknownPeer(String),
}

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

impl Error {
    /// The check that failed; of a file that cannot even be read, the first.
    pub(crate) const fn check(&self) -> Check {
        match self {
            Self::Credential { check, .. } => *check,
            _ => Check::Form,
        }
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(crate) fn credential(path: &Path, check: Check, message: impl Into<String>) -> Self {
        Self::Credential { path: path.to_owned(), check, message: message.into() }
    }
}
