//! What tells certificates apart.

use std::fmt::Write;

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};

/// SHA-256 of a certificate, in hexadecimal.
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    Sha256::digest(certificate).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// As much of a fingerprint as tells certificates of one system apart.
pub(crate) fn short(certificate: &CertificateDer<'_>) -> String {
    let mut text = fingerprint(certificate);
    text.truncate(16);
    text
}
