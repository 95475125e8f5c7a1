//! The outside over real HTTP, as the shop meets it: the binary is started, called, killed and started again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod card;
mod carrier;
mod faults;
mod mail;
mod process;
mod protocol;
mod record;
mod transactions;
