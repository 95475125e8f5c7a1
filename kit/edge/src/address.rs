//! Where a request comes from: the other end of its connection, unless that is a proxy whose word is taken.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Once;

use http::{HeaderMap, HeaderValue};

const FORWARDED: &str = "x-forwarded-for";
/// The most addresses that are looked at.
const MOST: usize = 16;

/// The networks of proxies that are trusted to say for whom they ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Network>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    length: u8,
}

impl Proxies {
    /// Reads networks such as `10.0.0.0/8`, or single addresses, separated by commas.
    ///
    /// # Errors
    /// Text that is no network.
    pub fn read(text: &str) -> Result<Self, String> {
        let networks = text.split(',').map(str::trim).filter(|network| !network.is_empty());
        networks
            .map(|text| Network::read(text).ok_or_else(|| format!("{text:?} is not a network such as 10.0.0.0/8")))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Where the request with these headers comes from that came over a connection from `peer`: the last address that no proxy of ours
    /// has.
    #[must_use]
    pub fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut origin = peer.to_canonical();
        if !self.trusts(origin) {
            if self.disbelieves(origin, headers) {
                unbelieved(origin);
            }
            return origin;
        }
        // Each for itself: what somebody outside has begun the list with hides nothing that our proxies have put behind it.
        let said: Vec<_> = headers.get_all(FORWARDED).iter().map(HeaderValue::as_bytes).collect();
        for said in said.iter().rev().flat_map(|said| said.rsplit(|byte| *byte == b',')).take(MOST) {
            let Some(said) = str::from_utf8(said).ok().and_then(|said| read(said.trim())) else { break };
            origin = said.to_canonical();
            if !self.trusts(origin) {
                break;
            }
        }
        origin
    }

    /// Whether its word is taken.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.has(address.to_canonical()))
    }

    /// Whether `peer` looks like a proxy of ours that nobody has named.
    #[must_use]
    pub fn disbelieves(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        !self.trusts(peer) && is_private(peer.to_canonical()) && headers.contains_key(FORWARDED)
    }

    /// Whether none is named.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As whom an address counts: networks of IPv6 are handed out whole, so whoever has one address of it has all.
#[must_use]
pub const fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

/// An address, of which some proxies say the port as well: `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]`, `[::1]:5`.
fn read(said: &str) -> Option<IpAddr> {
    let bare = || said.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    said.parse().ok().or_else(|| said.parse().ok().map(|with: SocketAddr| with.ip())).or_else(bare)
}

/// Whether it is of a network that nobody reaches from outside.
const fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// Tells, once, of a proxy that is not believed: everybody behind it counts as one.
fn unbelieved(peer: IpAddr) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(%peer, "a proxy that is not among TRADEWIND_TRUSTED_PROXIES asks for others; all of them count as one");
    });
}

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Some(most), |length| length.parse().ok())?;
        (length <= most).then_some(Self { address, length })
    }

    fn has(self, address: IpAddr) -> bool {
        let differ = match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => (ours.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(ours), IpAddr::V6(other)) => (ours.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differ >= u32::from(self.length)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn origin(proxies: &str, peer: &str, said: &[&str]) -> String {
        let headers = said.iter().map(|said| (FORWARDED.parse().unwrap(), said.parse().unwrap()));
        Proxies::read(proxies).unwrap().origin(peer.parse().unwrap(), &headers.collect()).to_string()
    }

    #[test]
    fn only_a_proxy_that_is_trusted_is_believed_and_only_what_it_says_itself() {
        assert_eq!(origin("", "10.0.0.1", &["1.2.3.4"]), "10.0.0.1");
        assert_eq!(origin("10.0.0.0/8", "10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(
            origin("10.0.0.0/8", "10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.9.9.9"]),
            "1.2.3.4",
            "whoever asked says more"
        );
        assert_eq!(origin("10.0.0.0/8", "10.0.0.1", &["6.6.6.6", "1.2.3.4"]), "1.2.3.4");
        assert_eq!(origin("10.0.0.0/8", "10.0.0.1", &["\u{e9}, 6.6.6.6, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(origin("10.0.0.0/8", "11.0.0.1", &["1.2.3.4"]), "11.0.0.1");
        assert_eq!(origin("10.0.0.0/8", "10.0.0.1", &["none"]), "10.0.0.1");
        assert_eq!(origin("fd00::/8,::1", "::1", &["2001:db8::1, fd00::7"]), "2001:db8::1");
        assert_eq!(origin("10.0.0.1", "::ffff:10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(origin("10.0.0.1", "10.0.0.1", &["6.6.6.6, 1.2.3.4:5678"]), "1.2.3.4");
        for said in ["[2001:db8::1]:5678", "[2001:db8::1]", "2001:db8::1"] {
            assert_eq!(origin("10.0.0.1", "10.0.0.1", &[said]), "2001:db8::1", "{said}");
        }
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!((of("1.2.3.4"), of("::ffff:1.2.3.4")), ("1.2.3.4".to_owned(), "1.2.3.4".to_owned()));
    }

    #[test]
    fn a_network_is_an_address_and_how_much_of_it_counts() {
        for odd in ["10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "a"] {
            assert!(Proxies::read(odd).is_err(), "{odd}");
        }
        assert_eq!(Proxies::read(" ").unwrap(), Proxies::default());
    }
}
