//! Projections on real databases.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod balances;
mod building;
mod keeping;
mod reading;
mod sending;
