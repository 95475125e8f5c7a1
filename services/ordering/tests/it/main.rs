//! The ordering context as a whole over mTLS gRPC, a real broker and real databases. The other participants are
//! stand-ins that run on the real runtime and answer the order's events by what the order says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

mod auditing;
mod customers;
mod finding;
mod histories;
mod limits;
mod paging;
mod participants;
mod placing;
mod settling;
mod shop;
