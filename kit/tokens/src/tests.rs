//! Tokens as they should be, and in all the ways that they should not. `made` makes them, `attacks` has a row for each way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attacks;
mod inside;
mod made;
mod sets;
mod signing;
mod tables;
