//! The notification service as a whole: real gRPC, a real broker and database, the sink of `outside` over real HTTP, and
//! a mail server over real SMTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

mod accounts;
mod answers;
mod erasing;
mod mail_server;
mod sink;
mod surroundings;
mod telling_by_sink;
mod telling_by_smtp;
mod webhooks;
