//! Names of workloads: `spiffe://<trust-domain>/svc/<name>`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::Error;

/// The name of a workload, `spiffe://<trust-domain>/svc/<name>`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SpiffeId {
    uri: Arc<str>,
    /// Where the name starts in `uri`.
    name: usize,
}

const SCHEME: &str = "spiffe://";
const FOLDER: &str = "/svc/";

impl SpiffeId {
    /// The identity of service `name` in `trust_domain`; refuses characters that do not belong in either.
    pub fn new(trust_domain: &str, name: &str) -> Result<Self, Error> {
        let uri = format!("{SCHEME}{trust_domain}{FOLDER}{name}");
        Self::parse(&uri)
    }

    /// Reads a URI of exactly the form `spiffe://<trust-domain>/svc/<name>`.
    pub fn parse(uri: &str) -> Result<Self, Error> {
        let malformed = || Error::Name(format!("`{uri}` is not of the form spiffe://<trust-domain>/svc/<name>"));
        let rest = uri.strip_prefix(SCHEME).ok_or_else(malformed)?;
        let (trust_domain, name) = rest.split_once(FOLDER).ok_or_else(malformed)?;
        let label = |text: &str, extra: &[u8]| {
            !text.is_empty()
                && text.len() <= 255
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || extra.contains(&b))
        };
        if !label(trust_domain, b".-_") || !label(name, b"-") {
            return Err(malformed());
        }
        Ok(Self { uri: uri.into(), name: uri.len() - name.len() })
    }

    /// The trust domain, e.g. `tradewind.local`.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        &self.uri[SCHEME.len()..self.name - FOLDER.len()]
    }

    /// The workload's name, e.g. `ordering`: what `callers` in the contract refer to.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.uri[self.name..]
    }
}

impl FromStr for SpiffeId {
    type Err = Error;

    fn from_str(uri: &str) -> Result<Self, Error> {
        Self::parse(uri)
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

impl fmt::Debug for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::SpiffeId;

    #[test]
    fn only_the_one_form_is_an_identity() {
        let id = SpiffeId::parse("spiffe://tradewind.local/svc/ordering").unwrap();
        assert_eq!((id.trust_domain(), id.name()), ("tradewind.local", "ordering"));
        for other in [
            "https://tradewind.local/svc/ordering",
            "spiffe://tradewind.local/ordering",
            "spiffe:///svc/ordering",
            "spiffe://tradewind.local/svc/",
            "spiffe://tradewind.local/svc/a/b",
            "spiffe://tradewind.local/svc/a/svc/b",
            "spiffe://Tradewind.local/svc/ordering",
            "spiffe://tradewind.local:80/svc/ordering",
        ] {
            assert!(SpiffeId::parse(other).is_err(), "{other} must not parse");
        }
    }
}
