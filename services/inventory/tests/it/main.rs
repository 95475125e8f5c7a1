//! The inventory context over real databases, and as a whole over real gRPC and a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod concurrency;
mod race;
mod receiving;
mod reservations;
mod saga;
mod service;
mod warehouse;
