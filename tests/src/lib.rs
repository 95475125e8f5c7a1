//! The whole shop under test: what starts its services, calls them and proves that their books hold, for the tests in `it/`
//! and for the program `chaos`. No test is here, and nothing that a service needs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "this crate is tests: what cannot be set up or is not as expected is a panic"
)]

pub mod chaos;
pub mod cluster;
pub mod later;
pub mod offer;
pub mod outage;
pub mod outside_world;
pub mod people;
pub mod process;
pub mod project;
pub mod proxy;
pub mod shop;
pub mod tomorrow;

use std::time::Duration;

/// How long anything in a test may take; far longer than it does, for machines that are busy.
pub const PATIENCE: Duration = Duration::from_secs(60);
