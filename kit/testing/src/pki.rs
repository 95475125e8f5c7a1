//! Identities for tests.

use tempfile::TempDir;

use crate::scratch;

/// The trust domain of every certificate made by [`pki`].
pub const TRUST_DOMAIN: &str = "tradewind.test";

/// Returns a folder with a new certificate authority (`ca.pem`) and, for each of `names`, a
/// certificate and its key (`<name>.pem`, `<name>.key`).
///
/// # Panics
/// When a name is not fit for an identity.
#[must_use]
#[track_caller]
pub fn pki(names: &[&str]) -> TempDir {
    let folder = scratch();
    match tradewind_mesh::pki::init(folder.path(), names, TRUST_DOMAIN) {
        Ok(_) => folder,
        Err(error) => panic!("cannot issue certificates for {names:?}: {error}"),
    }
}
