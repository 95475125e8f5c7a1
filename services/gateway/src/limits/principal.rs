//! Whoever is counted, and what they ask for.

use std::net::IpAddr;

use contracts::tradewind::options::v1::Audience;
use prost_reflect::MethodDescriptor;
use sha2::{Digest, Sha256};
use tradewind_edge::network;

/// What kinds of requests are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// What anybody may ask for that changes something: signing up, signing in.
    Credentials,
    /// What changes nothing.
    Read,
    /// What does.
    Write,
    /// A stream that is opened.
    Stream,
}

/// As whom somebody is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Who has signed in.
    User,
    /// A partner, who shows a key.
    Key,
    /// Where it comes from.
    Address,
}

/// Somebody who is counted. The same everywhere: replicas tell each other of them by `id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) kind: Kind,
    pub(crate) id: u64,
}

impl Class {
    pub(crate) const ALL: [Self; 4] = [Self::Credentials, Self::Read, Self::Write, Self::Stream];

    /// What a method is, by what its contract says of it.
    pub(crate) fn of(method: &MethodDescriptor, audience: Audience) -> Self {
        match () {
            () if method.is_server_streaming() || method.is_client_streaming() => Self::Stream,
            () if is_safe(method) => Self::Read,
            () if audience == Audience::Public => Self::Credentials,
            () => Self::Write,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Read => "read",
            Self::Write => "write",
            Self::Stream => "stream",
        }
    }
}

/// Whether its route is for `GET`.
fn is_safe(method: &MethodDescriptor) -> bool {
    let Some(extension) = method.parent_pool().get_extension_by_name("google.api.http") else { return false };
    let options = method.options();
    let rule = options.get_extension(&extension);
    rule.as_message().is_some_and(|rule| rule.has_field_by_name("get"))
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::User, Self::Key, Self::Address];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Key => "key",
            Self::Address => "address",
        }
    }
}

/// What the ids of partners begin with, which no customer's do.
const PARTNER: &str = "partner:";

impl Principal {
    /// Whoever is known by that id: a partner by all keys that they have, anybody else by all sessions.
    pub(crate) fn known(id: &str) -> Self {
        let kind = if id.starts_with(PARTNER) { Kind::Key } else { Kind::User };
        Self::of(kind, id.as_bytes())
    }

    /// Everybody at that address; of IPv6, at those that share its first 64 bits, which are one's who has any.
    pub(crate) fn address(address: IpAddr) -> Self {
        match network(address) {
            IpAddr::V4(network) => Self::of(Kind::Address, &network.octets()),
            IpAddr::V6(network) => Self::of(Kind::Address, &network.octets()[..8]),
        }
    }

    fn of(kind: Kind, name: &[u8]) -> Self {
        let digest: [u8; 32] =
            Sha256::new_with_prefix(kind.name()).chain_update([0]).chain_update(name).finalize().into();
        Self { kind, id: digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first)) }
    }

    /// Under which what they do of a class is kept.
    pub(crate) const fn account(self, class: Class) -> u64 {
        // Odd, so that classes of one are apart.
        self.id ^ (class as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_stands_for_its_network() {
        let of = |text: &str| Principal::address(text.parse().unwrap()).id;
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn partners_are_a_kind_of_their_own() {
        assert_eq!(Principal::known("partner:p-1").kind, Kind::Key);
        assert_eq!(Principal::known("corp:p-1").kind, Kind::User);
    }

    #[test]
    fn nobody_is_counted_as_somebody_else() {
        let address = Principal::address("97.98.99.100".parse().unwrap());
        assert_ne!(Principal::known("abcd").id, address.id);
        let accounts = Class::ALL.map(|class| address.account(class));
        let apart: std::collections::BTreeSet<_> = accounts.into_iter().collect();
        assert_eq!(apart.len(), accounts.len());
    }
}
