//! The broker: the connection to NATS, what events look like on it, the streams that hold them, and who may do what there.
//!
//! Nothing in the system needs a broker to be correct. When something is published or read must not be here.
//!
#![doc = include_str!("../README.md")]

mod board;
mod connection;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod metrics;
mod permissions;
mod refused;
mod streams;
pub mod wire;

pub use self::board::Board;
pub use self::connection::{Broker, BrokerOptions, Link, check_broker_url};
pub use self::permissions::BrokerPermissions;
pub use self::refused::is_of_the_message;
pub use self::streams::{Made, Retention, Streams};
