//! The mesh from outside: real certificates, real connections, a service made for the purpose.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation)]

mod balancing;
mod boundaries;
mod calls;
mod contract;
mod deadlines;
mod denials;
mod echo;
mod expiry;
mod faults;
mod formats;
mod generations;
mod handshakes;
mod made;
mod messages;
mod overload;
mod reload;
mod rotation;
mod shutdown;
mod spoiled;
mod telemetry;
mod traffic;
mod tree;
mod users;
mod world;
