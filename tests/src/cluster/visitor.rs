//! Those who call the services of a release.

use tempfile::TempDir;
use tradewind_mesh::Channels;

use crate::outside_world::Outside;
use crate::people::Person;

/// Somebody with the operator's certificate, who knows where the services are.
pub(super) struct Visitor {
    channels: Channels,
    pub(super) outside: Outside,
    _pki: TempDir,
}

impl Visitor {
    /// Somebody whose certificates are in `pki`.
    pub(super) const fn new(channels: Channels, outside: Outside, pki: TempDir) -> Self {
        Self { channels, outside, _pki: pki }
    }

    /// With the same certificate, over the same connections.
    pub(super) fn person(&self) -> Person {
        Person::new(self.channels.clone())
    }
}
