//! Where somebody comes from, as far as it says something about who they are.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The neighbourhood of a network address: the /24 of an IPv4 address and the /48 of an IPv6 address, which is about what one
/// household, office or machine room has. An attacker has many addresses in one of them and few of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(IpAddr);

impl Network {
    /// The neighbourhood of an address. An IPv4 address in the clothes of an IPv6 one is what it is.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self(IpAddr::from([a, b, c, 0]))
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                Self(IpAddr::from(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)))
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = if self.0.is_ipv4() { 24 } else { 48 };
        write!(f, "{}/{bits}", self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn neighbours_are_one_network() {
        let of = |text: &str| Network::of(text.parse().unwrap()).to_string();
        assert_eq!((of("192.0.2.7"), of("::ffff:192.0.2.9")), ("192.0.2.0/24".to_owned(), "192.0.2.0/24".to_owned()));
        assert_eq!((of("2001:db8:1:2::3"), of("2001:db8:1:ffff::1")), (of("2001:db8:1::"), of("2001:db8:1::")));
        assert_ne!(of("2001:db8:1::1"), of("2001:db8:2::1"));
        assert_eq!(of("2001:db8:1::1"), "2001:db8:1::/48");
    }
}
