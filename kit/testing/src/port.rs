//! Ports for processes that cannot be told to choose one themselves.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

/// Below the range from which systems take the ports of outgoing connections, so that none of
/// those sits on a port whose server is being restarted.
const FIRST: u16 = 12_000;
const COUNT: u64 = 18_000;

/// Returns a port of 127.0.0.1 that nobody listened on a moment ago.
///
/// A server that can bind port 0 and say what it got should do that instead.
///
/// # Panics
/// When no free port is found.
#[must_use]
#[track_caller]
pub fn free_port() -> u16 {
    let seed = RandomState::new();
    (0_u64..256)
        .filter_map(|attempt| u16::try_from(seed.hash_one(attempt) % COUNT).ok())
        .map(|offset| FIRST + offset)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a free port on 127.0.0.1")
}
