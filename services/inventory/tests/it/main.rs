//! The inventory context over real databases, and as a whole over real gRPC and a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod around;
mod audit;
mod concurrency;
mod correcting;
mod movements;
mod race;
mod receiving;
mod reservations;
mod saga;
mod service;
mod warehouse;
