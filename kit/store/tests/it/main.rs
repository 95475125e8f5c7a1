//! The store over both databases: nothing lost, nothing twice, nothing out of order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod appending;
mod auditing;
mod checkpoints;
mod connections;
mod database;
mod files;
mod loading;
mod log;
mod moments;
mod pools;
mod requests;
mod sealing;
mod silence;
mod snapshots;
mod unread;
