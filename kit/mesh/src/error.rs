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
        /// What is wrong with it.
        message: String,
    },
    /// A name or address that was handed in is malformed.
    #[error("{0}")]
    Name(String),
    /// The contract's descriptor does not say what it must.
    #[error("contract: {0}")]
    Contract(String),
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

impl Error {
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(crate) fn credential(path: &Path, message: impl Into<String>) -> Self {
        Self::Credential { path: path.to_owned(), message: message.into() }
    }
}
