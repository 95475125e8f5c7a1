//! Who this process is: certificate, key and trusted roots, reloaded while it runs.

mod check;
mod credentials;
mod fingerprint;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod generation;
mod material;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use opentelemetry::KeyValue;
use rustls::pki_types::UnixTime;
use tokio::sync::watch;

pub(crate) use self::check::vouched;
pub use self::check::{Leaf, Scheme};
pub use self::credentials::{Credentials, Vouched};
pub(crate) use self::fingerprint::{fingerprint, short};
use self::generation::Generations;
pub use self::generation::{Generation, Opened};
use self::material::Contents;
pub(crate) use self::material::{Material, certificates};
use crate::{Error, Result, SpiffeId, metrics};

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

impl Identity {
    /// Reads and checks the files. Inside a tokio runtime they are watched from then on, for as long as a clone lives.
    pub fn load(files: IdentityFiles) -> Result<Self> {
        let contents = Contents::read(&files)?;
        let material = Material::parse(&files, &contents)?;
        material.usable(&files, UnixTime::now())?;
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
    #[must_use]
    pub fn opened(&self) -> Opened {
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
            metrics::identity_refused(Some(error.reason().check()));
        }
        let contents = read?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let same = seen.contents == contents;
        if same && seen.refused.is_none() {
            metrics::identity_refused(None);
            return Ok(false);
        }
        // What was refused is looked at again: it may be for later.
        let usable = self.usable(&contents);
        let refused = usable.as_ref().err().map(ToString::to_string);
        let known = same && refused == seen.refused;
        *seen = Seen { contents, refused };
        drop(seen);
        metrics::identity_refused(usable.as_ref().err().map(|error| error.reason().check()));
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
        let leaf = Leaf { id: material.id.clone(), not_after: material.not_after };
        leaf.only(ours).map_err(|refusal| Error::credential(&self.files.cert, refusal))?;
        material.usable(&self.files, UnixTime::now())?;
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
                metrics::identity_reloads().add(1, &[KeyValue::new("outcome", "reloaded")]);
                tracing::info!(%id, "credentials reloaded");
            }
            Err(Error::File { .. }) if unreadable => {}
            Err(error) => {
                unreadable = matches!(error, Error::File { .. });
                let reason = error.reason().label();
                let labels = [KeyValue::new("outcome", "refused"), KeyValue::new("reason", reason)];
                metrics::identity_reloads().add(1, &labels);
                tracing::warn!(reason, %error, "new credentials cannot be used; the last good ones stay");
            }
        }
    }
}
