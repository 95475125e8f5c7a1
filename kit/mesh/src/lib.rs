//! What a sidecar would do, in the process: workload identity, mTLS servers and channels, policy
//! and deadlines from the contract, the mapping of errors, and the metrics and spans of every call.
//!
//! Names no context: who may call what comes from the tables of the contract that the caller hands in.
//! Storage, events and configuration do not belong here.
//!
#![doc = include_str!("../README.md")]

mod client;
mod error;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod handshake;
mod metadata;
mod report;
mod server;

pub use client::{AskedDeadline, Bulkhead, Channel, Channels, Circuit, EndpointStatus, PeerStatus, Standing};
pub use error::Error;
pub use server::{Loads, Owners, Server, keyed, peer, principal, user};

pub use tradewind_admission::{Listener, Load, RateLimits};
pub use tradewind_calls::faults::{At, Fault, Faults, Wanted};
pub use tradewind_calls::metrics::Traffic;
pub use tradewind_calls::{Peer, Policy, Serving, code_name, deadline, missing, reason, status, violations};
pub(crate) use tradewind_calls::{
    body, faults, form, gather, jitter, message, metrics, named, observe, policy, served, sizes,
};

pub use tradewind_tokens::User;
pub use tradewind_workload::{
    Check, Error as CredentialError, Generation, Identity, IdentityFiles, Reader, Reason, SpiffeId, pki,
};
use tradewind_workload::{Leaf, Opened, tls};

/// Outcome of what this crate does outside of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;
