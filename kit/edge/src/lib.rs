//! What services at the edge share. What is answered there, and in which protocol, does not belong here.
//!
#![doc = include_str!("../README.md")]

mod address;
mod certificate;
mod ended;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use address::{Proxies, network};
pub use certificate::{Files, acceptor};
pub use ended::{Ended, TellEnded, of_identity};

/// Reads a setting that is an `address:port`.
///
/// # Errors
/// Text that is none.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an address:port"))
}

/// Reads a setting that names a file; none where it is empty.
///
/// # Errors
/// None at present.
pub fn file(text: &str) -> Result<Option<PathBuf>, String> {
    Ok(Some(text).filter(|text| !text.is_empty()).map(PathBuf::from))
}
