use std::path::{Path, PathBuf};

use crate::reason::{Reason, Refusal};

/// Why credentials cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {said}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        said: std::io::Error,
    },
    /// A certificate, key or bundle is not usable.
    #[error("{}: {message}", path.display())]
    Credential {
        /// The file at fault.
        path: PathBuf,
        /// Which of the things that can be wrong it is.
        reason: Reason,
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
}

impl Error {
    /// What is wrong with credentials; a file that is not there cannot be read.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Credential { reason, .. } => *reason,
            _ => Reason::Unreadable,
        }
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |said| Self::File { path, said }
    }

    #[expect(clippy::needless_pass_by_value, reason = "nobody has a use for it afterwards")]
    pub(crate) fn credential(path: &Path, refusal: Refusal) -> Self {
        Self::Credential { path: path.to_owned(), reason: refusal.reason, message: refusal.to_string() }
    }
}
