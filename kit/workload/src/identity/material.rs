//! Credentials as they lie in their files, and as they are used. PEM is read as people's issuers write it: several certificates
//! in a file, text between them, any line ends, spaces around lines.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;

use super::IdentityFiles;
use super::check::{self, Leaf, vouched};
use super::fingerprint::short;
use crate::reason::{Reason, Refusal};
use crate::{Error, Result, SpiffeId, crypto, metrics};

/// Credentials that can be read and belong together.
#[derive(Debug)]
pub(crate) struct Material {
    pub(crate) id: SpiffeId,
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) roots: Arc<RootCertStore>,
    /// What the roots are made of.
    pub(super) bundle: Vec<CertificateDer<'static>>,
    pub(crate) clients: Arc<dyn ClientCertVerifier>,
    pub(crate) servers: Arc<WebPkiServerVerifier>,
    /// Seconds since 1970.
    pub(super) not_after: i64,
}

#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    ca: Vec<u8>,
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Contents {
    pub(super) fn read(files: &IdentityFiles) -> Result<Self> {
        let read = |path: &Path| std::fs::read(path).map_err(Error::file(path));
        Ok(Self { ca: read(&files.ca)?, cert: read(&files.cert)?, key: read(&files.key)? })
    }
}

impl Material {
    pub(super) fn parse(files: &IdentityFiles, contents: &Contents) -> Result<Self> {
        let provider = crypto::provider();
        let mut roots = RootCertStore::empty();
        let bundle = certificates(&files.ca, &contents.ca)?;
        for (index, root) in bundle.iter().enumerate() {
            let added =
                check::authority(root).and_then(|()| roots.add(root.clone()).map_err(|error| error.to_string()));
            added.map_err(|why| {
                let (nth, of, subject) = (index + 1, bundle.len(), check::subject(root));
                let text =
                    format!("certificate {nth} of {of} ({subject}) {why}: take it out of the file, or put it right");
                Error::credential(&files.ca, Refusal::new(Reason::NoAuthority, text))
            })?;
        }
        let roots = Arc::new(roots);

        let chain = certificates(&files.cert, &contents.cert)?;
        let Leaf { id, not_after } =
            Leaf::read(&chain[0]).map_err(|refusal| Error::credential(&files.cert, refusal))?;

        let wrong = |text: String| Error::credential(&files.key, Refusal::new(Reason::Key, text));
        let signer = provider
            .key_provider
            .load_private_key(private_key(&contents.key).map_err(|text| wrong(text.to_owned()))?)
            .map_err(|error| wrong(format!("cannot be used: {error}")))?;
        let key = CertifiedKey::new(chain, signer);
        key.keys_match().map_err(|_| wrong("is not the key of the certificate".to_owned()))?;

        let unusable = |error: &dyn std::fmt::Display| {
            Error::credential(&files.ca, Refusal::new(Reason::NoAuthority, error.to_string()))
        };
        let clients = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(|error| unusable(&error))?;
        let servers = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider)
            .build()
            .map_err(|error| unusable(&error))?;
        Ok(Self { id, key: Arc::new(key), roots, bundle, clients, servers, not_after })
    }

    /// Reads one identity without watching it.
    pub(crate) fn read(files: &IdentityFiles) -> Result<Self> {
        Self::parse(files, &Contents::read(files)?)
    }

    /// Whether others that trust the same authorities would let a workload in with this, now.
    ///
    /// # Errors
    /// Names the file, the reason, and what to do.
    pub(crate) fn usable(&self, files: &IdentityFiles, now: UnixTime) -> Result<()> {
        Leaf::acceptable(&self.key.cert[0], now)
            .and_then(|_| self.chain(now))
            .map_err(|refusal| Error::credential(&files.cert, refusal))
    }

    /// Whether an authority of the bundle that is valid itself vouches for the certificate.
    fn chain(&self, now: UnixTime) -> Result<(), Refusal> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.bundle.iter().filter(|root| check::is_valid(root, now)).cloned());
        let [leaf, intermediates @ ..] = self.key.cert.as_slice() else {
            return Err(Refusal::new(Reason::Unreadable, "holds no certificate"));
        };
        match vouched(leaf, intermediates, &roots, now) {
            Ok(()) => Ok(()),
            Err(_) if vouched(leaf, intermediates, &self.roots, now).is_ok() => {
                let text =
                    "is of an authority that is not valid now, of those in the bundle: give everybody its successor";
                Err(Refusal::new(Reason::AuthorityExpired, text))
            }
            Err(refusal) if refusal.reason == Reason::UnknownAuthority => {
                let trusted: Vec<_> = self.bundle.iter().map(check::subject).collect();
                let text = format!("is of none of the authorities in the bundle ({})", trusted.join("; "));
                Err(Refusal::new(Reason::UnknownAuthority, text))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Whose a client's certificate is: a workload's of our trust domain, or nobody's.
    ///
    /// # Errors
    /// What does not hold of the certificate, or of the chain.
    pub(crate) fn client(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Leaf, rustls::Error> {
        let leaf = Leaf::acceptable(end_entity, now)?;
        self.clients.verify_client_cert(end_entity, intermediates, now)?;
        leaf.of_domain(&self.id)?;
        Ok(leaf)
    }

    pub(super) fn report(&self) {
        metrics::identity_expiry().record(self.not_after, &[]);
    }

    /// Name, short fingerprint and end of each trusted root.
    pub(super) fn authorities(&self) -> Vec<(String, String, i64)> {
        let of = |root| (check::subject(root), short(root), check::not_after(root).unwrap_or(i64::MAX));
        self.bundle.iter().map(of).collect()
    }
}

/// Every certificate of a PEM file; at least one.
pub(crate) fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let unreadable = |text: String| Error::credential(path, Refusal::new(Reason::Unreadable, text));
    let mut all = Vec::new();
    for one in CertificateDer::pem_slice_iter(&tidy(pem)) {
        let nth = all.len() + 1;
        all.push(one.map_err(|error| unreadable(format!("certificate {nth} is not PEM ({error})")))?);
    }
    if all.is_empty() {
        return Err(unreadable("holds no certificate".to_owned()));
    }
    Ok(all)
}

pub(super) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, &'static str> {
    let is_encrypted = pem.windows(9).any(|word| word == b"ENCRYPTED");
    PrivateKeyDer::from_pem_slice(&tidy(pem)).map_err(|_| {
        if is_encrypted { "is encrypted: nobody is there to type its password" } else { "holds no private key in PEM" }
    })
}

/// The same without what editors and templates put around lines. A section whose line is indented, or the first one after a mark
/// of byte order, would else be passed over as if it were not there.
fn tidy(pem: &[u8]) -> Cow<'_, [u8]> {
    let pem = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(pem);
    let is_tidy = pem.split(|byte| *byte == b'\n').all(|line| line.trim_ascii_start().len() == line.len());
    if is_tidy {
        return Cow::Borrowed(pem);
    }
    let lines: Vec<_> = pem.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).collect();
    Cow::Owned(lines.join(&b'\n'))
}
