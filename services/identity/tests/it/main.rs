//! The identity context over its databases, and as a whole service.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod erasing;
mod keys;
mod moving;
mod partners;
mod refreshing;
mod resetting;
mod service;
mod signing_in;
mod signing_up;
mod throttling;
mod turns;
mod world;
