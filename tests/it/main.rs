//! Tests over the whole shop.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod books;
mod broker;
mod contract;
mod contracts_hold;
mod crash;
mod dependencies;
mod drain;
mod health;
mod outside_world;
mod people;
mod process;
mod purity;
mod race;
mod refusals;
mod saga;
mod shop;
mod trace;
