//! The saga keeps its promise in every interleaving, and the checker would notice if it did not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod exploring;
mod hearing;
mod mutants;
