//! The program as a person uses it: real processes, real exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod certificates;
mod contracts;
mod databases;
mod demo;
mod fault;
mod folders;
mod identity;
mod kubernetes;
mod mesh;
mod pipes;
mod policy;
mod program;
mod quarantine;
mod refusals;
mod replay;
mod stage;
mod token;
