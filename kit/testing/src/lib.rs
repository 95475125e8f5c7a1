//! What tests need and production never does: given/when/then for aggregates, a throwaway broker,
//! throwaway databases, stand-ins for other contexts, and waiting for a condition with a deadline.
//!
//! Everything started here ends with the test process, however that ends: returning, panicking or
//! killed. Helpers panic at the caller's line instead of returning errors. No crate may depend on
//! this one outside `[dev-dependencies]` but that of the whole system's tests, and no context's types belong here.
//!
#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be set up or is not as expected is a panic"
)]

mod clickhouse;
mod database;
mod eventually;
mod janitor;
mod kubernetes;
mod nats;
mod neighbour;
mod pki;
mod plan;
mod port;
mod postgres;
mod recorded;
mod released;
mod running;
mod stopped;
mod streams;
mod tools;
mod traces;

pub mod account;
pub mod scenario;

pub use clickhouse::ClickHouse;
pub use database::{Database, block_on, scratch};
pub use eventually::{Answer, eventually};
pub use kubernetes::Kubernetes;
pub use nats::Nats;
pub use neighbour::Neighbour;
pub use pki::{TRUST_DOMAIN, pki};
pub use plan::plan;
pub use port::free_port;
pub use postgres::{Paused, Postgres};
pub use recorded::recorded;
pub use released::fold_released;
pub use running::{Mortal, channel};
pub use stopped::{Stopped, at};
pub use tools::{nats_server, poppler};
pub use traces::{columns_with, traces, unsealed};
