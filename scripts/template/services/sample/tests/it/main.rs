//! The sample context over real databases, and as a whole over real gRPC and a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod items;
mod service;
