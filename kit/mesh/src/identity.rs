//! Who this process is: certificate, key and trusted roots, reloaded while it runs.

mod check;
mod generation;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use opentelemetry::KeyValue;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use tokio::sync::watch;
use x509_parser::prelude::{FromDer, X509Certificate};

pub use self::generation::Generation;
pub(crate) use self::generation::Opened;
use self::generation::{Generations, short};
use crate::error::Check;
use crate::{Error, Result, SpiffeId, crypto, observe};

/// How often the files are looked at. Their content is compared, not their time, so that a swapped
/// symlink counts as a change.
const POLL: Duration = Duration::from_secs(2);

/// Where a workload's credentials lie, all PEM. The bundle and the chain may hold several certificates.
#[derive(Clone, Debug)]
pub struct IdentityFiles {
    /// Bundle of trusted roots.
    pub ca: PathBuf,
    /// Own certificate, leaf first.
    pub cert: PathBuf,
    /// Own private key.
    pub key: PathBuf,
}

impl IdentityFiles {
    /// The files that [`crate::pki::init`] writes for `name` into `dir`.
    #[must_use]
    pub fn in_dir(dir: &Path, name: &str) -> Self {
        Self { ca: dir.join("ca.pem"), cert: dir.join(format!("{name}.pem")), key: dir.join(format!("{name}.key")) }
    }
}

/// The workload's identity. Cheap to clone; every clone sees a reload, and so does every handshake
/// from then on. A change that cannot be used (a key of another certificate, half a file, an authority that nobody here trusts,
/// dates that are over or to come) is logged, shown, and not taken: the last good credentials stay.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: IdentityFiles,
    current: ArcSwap<Material>,
    generations: Arc<Generations>,
    /// What was read last, good or not, so that a bad file is reported once and not every two seconds.
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    contents: Contents,
    /// Why they are not in use.
    refused: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Material {
    pub(crate) id: SpiffeId,
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) roots: Arc<RootCertStore>,
    /// What the roots are made of.
    bundle: Vec<CertificateDer<'static>>,
    pub(crate) clients: Arc<dyn ClientCertVerifier>,
    pub(crate) servers: Arc<WebPkiServerVerifier>,
    /// Seconds since 1970.
    not_after: i64,
}

#[derive(PartialEq, Eq)]
struct Contents {
    ca: Vec<u8>,
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Identity {
    /// Reads and checks the files. Inside a tokio runtime they are watched from then on, for as long as a clone lives.
    pub fn load(files: IdentityFiles) -> Result<Self> {
        let contents = Contents::read(&files)?;
        let material = Material::parse(&files, &contents)?;
        check::usable(&files, &material, UnixTime::now())?;
        material.report();
        let seen = Mutex::new(Seen { contents, refused: None });
        let generations = Generations::begin(&material);
        let inner = Arc::new(Inner { files, current: ArcSwap::from_pointee(material), generations, seen });
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(follow(Arc::downgrade(&inner)));
        }
        Ok(Self(inner))
    }

    /// The name in the current certificate.
    #[must_use]
    pub fn spiffe_id(&self) -> SpiffeId {
        self.current().id.clone()
    }

    /// Looks at the files now and tells whether new credentials are in use.
    pub fn reload(&self) -> Result<bool> {
        self.0.reload()
    }

    /// Counts the sets of credentials that were in use; the one at start is 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generations.number()
    }

    /// Tells each change of [`Identity::generation`], once the new credentials are in use.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.generations.changed()
    }

    /// The credentials in use, last, and before them those that connections still live under.
    #[must_use]
    pub fn generations(&self) -> Vec<Generation> {
        self.0.generations.all()
    }

    /// Counts a connection that is served from now on. To be asked before its handshake, so that one which falls into a
    /// change counts as older than it is.
    pub(crate) fn opened(&self) -> Opened {
        self.0.generations.opened()
    }

    pub(crate) fn current(&self) -> Arc<Material> {
        self.0.current.load_full()
    }
}

impl Inner {
    fn reload(&self) -> Result<bool> {
        let read = Contents::read(&self.files);
        if let Err(error) = &read {
            observe::identity_refused(Some(error.check()));
        }
        let contents = read?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let same = seen.contents == contents;
        if same && seen.refused.is_none() {
            observe::identity_refused(None);
            return Ok(false);
        }
        // What was refused is looked at again: it may be for later.
        let usable = self.usable(&contents);
        let refused = usable.as_ref().err().map(ToString::to_string);
        let known = same && refused == seen.refused;
        *seen = Seen { contents, refused };
        drop(seen);
        observe::identity_refused(usable.as_ref().err().map(Error::check));
        match usable {
            Ok(material) => {
                material.report();
                let material = Arc::new(material);
                self.current.store(material.clone());
                self.generations.next(&material);
                Ok(true)
            }
            Err(_) if known => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn usable(&self, contents: &Contents) -> Result<Material> {
        let material = Material::parse(&self.files, contents)?;
        let before = self.current.load();
        let ours = &before.id;
        if material.id != *ours {
            let text = format!("is for {}, this process is {ours}", material.id);
            return Err(Error::credential(&self.files.cert, Check::Name, text));
        }
        check::usable(&self.files, &material, UnixTime::now())?;
        Ok(material)
    }
}

async fn follow(identity: Weak<Inner>) {
    let mut unreadable = false;
    loop {
        tokio::time::sleep(POLL).await;
        let Some(inner) = identity.upgrade() else { return };
        // Credentials are read on this thread: three small local files, seldom, and never in a call.
        match inner.reload() {
            Ok(false) => unreadable = false,
            Ok(true) => {
                unreadable = false;
                let id = inner.current.load().id.clone();
                observe::identity_reloads().add(1, &[KeyValue::new("outcome", "reloaded")]);
                tracing::info!(%id, "credentials reloaded");
            }
            Err(Error::File { .. }) if unreadable => {}
            Err(error) => {
                unreadable = matches!(error, Error::File { .. });
                observe::identity_reloads().add(1, &[KeyValue::new("outcome", "refused")]);
                let check = error.check().label();
                tracing::warn!(check, %error, "new credentials cannot be used; the last good ones stay");
            }
        }
    }
}

impl Contents {
    fn read(files: &IdentityFiles) -> Result<Self> {
        let read = |path: &Path| std::fs::read(path).map_err(Error::file(path));
        Ok(Self { ca: read(&files.ca)?, cert: read(&files.cert)?, key: read(&files.key)? })
    }
}

impl Material {
    fn parse(files: &IdentityFiles, contents: &Contents) -> Result<Self> {
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
                Error::credential(&files.ca, Check::Authority, text)
            })?;
        }
        let roots = Arc::new(roots);

        let chain = certificates(&files.cert, &contents.cert)?;
        let leaf = &chain[0];
        let id = SpiffeId::of_certificate(leaf)
            .ok_or_else(|| Error::credential(&files.cert, Check::Name, "has no single SPIFFE id among its names"))?;
        let (_, parsed) = X509Certificate::from_der(leaf)
            .map_err(|error| Error::credential(&files.cert, Check::Form, format!("cannot be parsed: {error}")))?;
        let not_after = parsed.validity().not_after.timestamp();

        let private = PrivateKeyDer::from_pem_slice(&contents.key)
            .map_err(|_| Error::credential(&files.key, Check::Key, "holds no private key in PEM"))?;
        let signer = provider
            .key_provider
            .load_private_key(private)
            .map_err(|error| Error::credential(&files.key, Check::Key, error.to_string()))?;
        let key = CertifiedKey::new(chain, signer);
        key.keys_match().map_err(|_| Error::credential(&files.key, Check::Key, "is not the key of the certificate"))?;

        let unusable =
            |error: &dyn std::fmt::Display| Error::credential(&files.ca, Check::Authority, error.to_string());
        let clients = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(|error| unusable(&error))?;
        let servers = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider)
            .build()
            .map_err(|error| unusable(&error))?;
        Ok(Self { id, key: Arc::new(key), roots, bundle, clients, servers, not_after })
    }

    fn report(&self) {
        observe::identity_expiry().record(self.not_after, &[]);
    }

    /// Name, short fingerprint and end of each trusted root.
    fn authorities(&self) -> Vec<(String, String, i64)> {
        let of = |root| (check::subject(root), short(root), check::not_after(root).unwrap_or(i64::MAX));
        self.bundle.iter().map(of).collect()
    }

    /// Reads one identity without watching it.
    pub(crate) fn read(files: &IdentityFiles) -> Result<Self> {
        Self::parse(files, &Contents::read(files)?)
    }
}

/// Every certificate of a PEM file; at least one.
fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let mut all = Vec::new();
    for one in CertificateDer::pem_slice_iter(pem) {
        let nth = all.len() + 1;
        let why = |error| Error::credential(path, Check::Form, format!("certificate {nth} is not PEM ({error})"));
        all.push(one.map_err(why)?);
    }
    if all.is_empty() {
        return Err(Error::credential(path, Check::Form, "holds no certificate"));
    }
    Ok(all)
}
