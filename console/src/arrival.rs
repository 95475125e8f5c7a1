//! How a request came: over which connection, from where, and to which address of ours. A proxy that the settings name is believed, and
//! nobody else.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use tradewind_edge::Proxies;

/// The connection that a request came over.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) peer: IpAddr,
    pub(crate) is_tls: bool,
}

impl Arrival {
    /// That of `request`; of one that came over none, this machine's own.
    pub(crate) fn of(request: &Request) -> Self {
        let own = Self { peer: Ipv4Addr::LOCALHOST.into(), is_tls: false };
        request.extensions().get().copied().unwrap_or(own)
    }

    /// Whether a browser says that this was sent by a page of another site. Who says nothing is no browser, and has to know the mark.
    pub(crate) fn is_of_another_site(self, headers: &HeaderMap, proxies: &Proxies) -> bool {
        let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if said("sec-fetch-site").is_some_and(|site| site != "same-origin") {
            return true;
        }
        let (scheme, host) = (self.scheme(headers, proxies), self.host(headers, proxies));
        headers.contains_key(ORIGIN) && said(ORIGIN.as_str()) != Some(&format!("{scheme}://{host}"))
    }

    /// Whether all of its way was encrypted.
    pub(crate) fn is_encrypted(self, headers: &HeaderMap, proxies: &Proxies) -> bool {
        self.scheme(headers, proxies) == "https"
    }

    /// Whether it was sent to this machine by an address or a name that other programs answer at too.
    pub(crate) fn is_to_this_machine(self, headers: &HeaderMap, proxies: &Proxies) -> bool {
        let host = self.host(headers, proxies);
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        name == "localhost" || name.ends_with(".localhost") || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
    }

    fn host<'a>(self, headers: &'a HeaderMap, proxies: &Proxies) -> &'a str {
        let own = || headers.get(HOST).and_then(|value| value.to_str().ok());
        self.behind("x-forwarded-host", headers, proxies).or_else(own).unwrap_or_default()
    }

    fn scheme<'a>(self, headers: &'a HeaderMap, proxies: &Proxies) -> &'a str {
        let own = if self.is_tls { "https" } else { "http" };
        self.behind("x-forwarded-proto", headers, proxies).unwrap_or(own)
    }

    /// What a proxy says of what is before it.
    fn behind<'a>(self, name: &str, headers: &'a HeaderMap, proxies: &Proxies) -> Option<&'a str> {
        headers.get(name).and_then(|value| value.to_str().ok()).filter(|_| proxies.trusts(self.peer))
    }
}
