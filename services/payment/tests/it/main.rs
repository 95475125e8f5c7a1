//! The payment service as a whole: real gRPC, a real broker and database, and the card provider of `outside` over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

mod answers;
mod crashes;
mod ledger;
mod money;
mod provider;
mod surroundings;
