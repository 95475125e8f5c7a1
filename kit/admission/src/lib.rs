//! Where connections come in, which calls a server works on, which wait for their turn, and which are turned away. Who calls, and what a call does, do not belong
//! here.
//!
#![doc = include_str!("../README.md")]

#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod limit;
mod listener;
mod rate;
mod shed;

pub use listener::Listener;
pub use rate::{RateLimits, Rates, Taken};
pub use shed::{Load, Place, Shed};
use tradewind_calls::{jitter, metrics, status};
