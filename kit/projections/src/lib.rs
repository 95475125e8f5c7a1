//! Read models of events. Each has its tables twice, in two slots: one is read and kept, in the other the next is built from the
//! log, beside it, until it takes its place in one transaction. Queries never wait for that, and never see half of it.
//!
//! What a row says must not be here, nor how a log is read while nothing is built.
//!
#![doc = include_str!("../README.md")]

mod batch;
mod build;
mod building;
mod fold;
mod follow;
mod maker;
mod metrics;
mod pass;
mod projection;
mod read;
mod row;
mod sink;
mod slot;
mod standing;
mod table;

pub use batch::Batch;
pub use build::{REST, build};
pub use follow::{Served, follow, resting};
pub use projection::Projection;
pub use read::{read, read_at, seen};
pub use sink::Sink;
pub use slot::Slot;
pub use standing::{Build, Standing, rebuild, standings};
pub use table::{Follow, Table, Writer, create_in};
