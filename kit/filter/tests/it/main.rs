//! Filters as whoever offers them sees them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]

mod databases;
mod generated;
mod reading;
mod refusing;
