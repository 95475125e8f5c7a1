//! Clients of every service, as the options of the command line say.

use anyhow::{Context, Result};
use shop::Clients;

use crate::Global;
use crate::local::Layout;

/// Clients of the system at `layout` that call as `identity`. Nothing is connected yet.
///
/// # Errors
/// When the folder has no certificate of that name.
pub(crate) fn of(layout: &Layout, identity: &str) -> Result<Clients> {
    Clients::new(layout.pki(), identity, layout.peers())
}

/// Clients of the local system, unless the options name other addresses.
///
/// # Errors
/// When an address names no service, or the folder has no certificate of the identity.
pub(crate) fn asked(global: &Global) -> Result<Clients> {
    let layout = Layout::standard(&global.dir);
    let mut peers = layout.peers();
    for peer in &global.peers {
        let (name, address) = peer.split_once('=').with_context(|| format!("{peer:?} is not NAME=ADDRESS"))?;
        peers.insert(name.to_owned(), address.to_owned());
    }
    Clients::new(layout.pki(), &global.identity, peers)
}
