//! The certificate that is shown outside, read again when its files change. A change that cannot be used is told, and not taken.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::{Context, ensure};
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use tradewind_runtime::SettingsError;

/// How often the files are looked at. Their content is compared, not their time, so that a swapped symlink counts as a change.
const POLL: Duration = Duration::from_secs(2);

/// Where the certificate lies, both PEM.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Files {
    /// What the settings `tls_certificate` and `tls_key` name: both files, or none.
    ///
    /// # Errors
    /// One without the other.
    pub fn of(certificate: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<Self>, SettingsError> {
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some(Self { certificate, key })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(SettingsError::of("tls_key", "is missing beside tls_certificate")),
            (None, Some(_)) => Err(SettingsError::of("tls_certificate", "is missing beside tls_key")),
        }
    }
}

/// What lies there.
#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The certificate in use.
struct Shown(ArcSwap<CertifiedKey>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// Takes connections over TLS 1.3 or 1.2, for these `protocols`, with the certificate of these files, which are followed from then on.
/// Of each that is taken, `tell` is told when it ends, in seconds of Unix time. Must be called within a tokio runtime.
///
/// # Errors
/// Files that hold no certificate and its key.
pub fn acceptor(
    files: &Files,
    protocols: &[&str],
    tell: impl Fn(i64) + Send + Sync + 'static,
) -> anyhow::Result<TlsAcceptor> {
    let contents = Contents::read(files)?;
    let (certified, not_after) = contents.certified()?;
    tell(not_after);
    let shown = Arc::new(Shown(ArcSwap::from_pointee(certified)));
    tokio::spawn(follow(Arc::downgrade(&shown), files.clone(), contents, tell));
    let mut config = ServerConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl Contents {
    fn read(files: &Files) -> anyhow::Result<Self> {
        let read = |path: &Path| std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    /// The certificate, and when it ends.
    fn certified(&self) -> anyhow::Result<(CertifiedKey, i64)> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate).collect::<Result<_, _>>()?;
        ensure!(!chain.is_empty(), "there is no certificate in PEM");
        let key = PrivateKeyDer::from_pem_slice(&self.key).context("there is no private key in PEM")?;
        let key = default_provider().key_provider.load_private_key(key).context("the key cannot be used")?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().context("the key is not the certificate's")?;
        let leaf = certified.cert.first().context("there is no certificate in PEM")?;
        let (_, leaf) = x509_parser::parse_x509_certificate(leaf).context("the certificate cannot be read")?;
        let not_after = leaf.validity().not_after.timestamp();
        Ok((certified, not_after))
    }
}

async fn follow(shown: Weak<Shown>, files: Files, mut seen: Contents, tell: impl Fn(i64) + Send + Sync) {
    loop {
        tokio::time::sleep(POLL).await;
        let Some(shown) = shown.upgrade() else { return };
        // Two small local files, seldom.
        let Ok(contents) = Contents::read(&files) else { continue };
        if contents == seen {
            continue;
        }
        match contents.certified() {
            Ok((certified, not_after)) => {
                tell(not_after);
                shown.0.store(Arc::new(certified));
                tracing::info!("certificate of the edge reloaded");
            }
            Err(error) => {
                let why = format!("{error:#}");
                tracing::warn!(why, "the new certificate of the edge cannot be used; the last good one stays");
            }
        }
        seen = contents;
    }
}
