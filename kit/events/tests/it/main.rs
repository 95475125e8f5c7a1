//! Events over both databases and a broker: nothing lost, nothing twice, nothing out of order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod broker;
