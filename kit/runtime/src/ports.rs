//! Ports of the loopback address, for processes that cannot be told to choose one themselves and say which.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// Below the range from which systems take the ports of outgoing connections: one of these would sit on a port that was free a
/// moment ago, or whose server is being restarted.
const FIRST: u16 = 12_000;
const COUNT: u64 = 18_000;

/// A port of 127.0.0.1 that is found for nobody else, in whatever process, while this lives.
///
/// A server that can bind port 0 and say what it got should do that instead.
#[derive(Debug)]
pub struct FreePort {
    number: u16,
    /// Nothing here speaks UDP: whoever holds the UDP port of the same number says that this one is taken, though nobody may
    /// listen on it yet.
    _sign: UdpSocket,
}

impl FreePort {
    /// Finds a port that nobody listened on a moment ago.
    ///
    /// # Errors
    /// When there is none.
    pub fn find() -> io::Result<Self> {
        let seed = RandomState::new();
        (0_u64..1_000)
            .filter_map(|attempt| u16::try_from(seed.hash_one(attempt) % COUNT).ok())
            .find_map(|offset| Self::take(FIRST + offset))
            .ok_or_else(|| io::Error::new(io::ErrorKind::AddrNotAvailable, "no free port on the loopback address"))
    }

    fn take(number: u16) -> Option<Self> {
        let sign = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        Some(Self { number, _sign: sign })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_found_for_nobody_else_until_it_is_given_back() {
        let port = FreePort::find().unwrap();
        let number = port.number();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).expect("its own server may listen there");
        drop(listener);
        assert!(FreePort::take(number).is_none(), "{number} is given out while it is held");
        drop(port);
        assert!(FreePort::take(number).is_some(), "{number} is held by nobody");
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_not_found() {
        let port = FreePort::find().unwrap();
        let number = port.number();
        let _server = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).unwrap();
        drop(port);
        assert!(FreePort::take(number).is_none());
    }
}
