//! The rules of templates, paths, queries and bodies: own rows, and public tables where they are there.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod contract;
mod dialect;
mod public;
mod rules;
mod shapes;
mod tables;
mod wire;
