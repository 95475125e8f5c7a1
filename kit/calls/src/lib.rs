//! What both ends of a call share: what the contract says of it, how long it may take, what is measured of it, and what is said
//! when it fails. Connections, and who opens or takes them, do not belong here.
//!
#![doc = include_str!("../README.md")]

pub mod body;
pub mod deadline;
pub mod faults;
pub mod form;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
pub mod gather;
mod jitter;
pub mod message;
pub mod metrics;
pub mod named;
pub mod observe;
mod peer;
pub mod policy;
pub mod served;
pub mod sizes;
pub mod status;
pub mod trace;

pub use jitter::jitter;
pub use peer::Peer;
pub use policy::Policy;
pub use status::{code_name, missing, reason, status, violations};
pub use trace::Serving;
