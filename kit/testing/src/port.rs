//! Ports for processes that cannot be told to choose one themselves.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::{Mutex, PoisonError};

/// Below the range from which systems take the ports of outgoing connections, so that none of
/// those sits on a port whose server is being restarted.
const FIRST: u16 = 12_000;
const COUNT: u64 = 18_000;

/// Nobody may listen yet on one that was returned before: until this process ends, the UDP port of the same number, which
/// nothing here uses, says to all processes that it is taken.
static TAKEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// Returns a port of 127.0.0.1 that nobody listened on a moment ago and that no running process was given before.
///
/// A server that can bind port 0 and say what it got should do that instead.
///
/// # Panics
/// When no free port is found.
#[must_use]
#[track_caller]
pub fn free_port() -> u16 {
    let seed = RandomState::new();
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    (0_u64..256)
        .filter_map(|attempt| u16::try_from(seed.hash_one(attempt) % COUNT).ok())
        .map(|offset| FIRST + offset)
        .find_map(|port| {
            let sign = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
            taken.push(sign);
            Some(port)
        })
        .expect("a free port on 127.0.0.1")
}
