//! The whole service over gRPC.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

mod erasing;
mod service;
mod surroundings;
