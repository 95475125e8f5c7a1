//! What the helpers promise to tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod databases;
mod leavings;
mod nats;
mod scenarios;
mod waiting;
