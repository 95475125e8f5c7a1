//! The analytics context as a whole, over real gRPC, a real broker and real databases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clickhouse;
mod sales;
mod service;
mod surroundings;
