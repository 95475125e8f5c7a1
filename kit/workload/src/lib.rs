//! Who a workload is: credentials in the form of X.509 SVIDs, checked before they are used and in every handshake, reloaded while
//! they are used, and issued for one machine.
//!
//! Knows no calls: neither servers nor channels nor policy belong here.
//!
#![doc = include_str!("../README.md")]

mod crypto;
mod error;
pub mod handshake;
mod identity;
mod metrics;
pub mod pki;
mod reader;
mod reason;
mod spiffe;
pub mod tls;

pub use error::Error;
#[cfg(any(test, feature = "fuzzed"))]
pub use identity::fuzzed;
pub use identity::{Credentials, Generation, Identity, IdentityFiles, Leaf, Opened, Scheme, Vouched};
pub use reader::Reader;
pub use reason::{Check, Reason, Refusal};
pub use spiffe::SpiffeId;

/// Outcome of what this crate does.
pub type Result<T, E = Error> = std::result::Result<T, E>;
