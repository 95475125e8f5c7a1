//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use std::path::Path;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::check::{self, Leaf, vouched};
use super::material::{certificates, private_key};
use crate::{Refusal, SpiffeId};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] =
    &[("certificates", certificate), ("pem-files", pem_files), ("workload-names", workload_names)];

fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000))
}

fn certificate(bytes: &[u8]) {
    is_judged(&CertificateDer::from(bytes.to_vec()));
}

fn is_judged(certificate: &CertificateDer<'_>) {
    let read = Leaf::read(certificate);
    if let Ok(leaf) = Leaf::acceptable(certificate, now()) {
        assert_eq!(read.ok(), Some(leaf), "what is let in with is what it says");
    }
    let _ = (Leaf::public_key(certificate), check::authority(certificate), check::subject(certificate));
    let _ = (check::not_after(certificate), check::is_valid(certificate, now()));
    let _ = Refusal::of_authority(certificate, now());
    let mut roots = RootCertStore::empty();
    let _ = roots.add(certificate.clone().into_owned());
    let _ = vouched(certificate, std::slice::from_ref(certificate), &roots, now());
}

fn pem_files(bytes: &[u8]) {
    let _ = private_key(bytes);
    for certificate in certificates(Path::new("ca.crt"), bytes).unwrap_or_default() {
        is_judged(&certificate);
    }
}

fn workload_names(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(id) = SpiffeId::parse(text) else { return };
    assert_eq!(id.to_string(), text);
    assert!(text.ends_with(id.name()) && text.contains(id.trust_domain()) && id.name().contains(id.short_name()));
}

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
