//! Names of workloads: `spiffe://<trust-domain>/svc/<name>`, and, of whoever is outside and reads events,
//! `spiffe://<trust-domain>/reader/<name>/<context>/…`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::Error;
use crate::reader::{self, Reader};

/// The name of a workload, `spiffe://<trust-domain>/svc/<name>`, or of a reader, whose grant is in its name:
/// `spiffe://<trust-domain>/reader/<name>/<context>/…`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SpiffeId {
    uri: Arc<str>,
    /// Where the trust domain ends in `uri`, and where the name starts.
    domain: usize,
    name: usize,
}

const SCHEME: &str = "spiffe://";
const FOLDER: &str = "svc/";
/// The longest that a SPIFFE id may be.
const LONGEST: usize = 2_048;

impl SpiffeId {
    /// The identity of service `name` in `trust_domain`; refuses characters that do not belong in either.
    pub fn new(trust_domain: &str, name: &str) -> Result<Self, Error> {
        let uri = format!("{SCHEME}{trust_domain}/{FOLDER}{name}");
        Self::parse(&uri)
    }

    /// The identity of a reader that may read the events of `contexts`; refuses a name or context that is none, and a grant of nothing.
    pub fn reader<'a>(
        trust_domain: &str,
        name: &str,
        contexts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Error> {
        let contexts: BTreeSet<_> = contexts.into_iter().collect();
        let contexts = contexts.into_iter().collect::<Vec<_>>().join("/");
        Self::parse(&format!("{SCHEME}{trust_domain}/{}{name}/{contexts}", reader::FOLDER))
    }

    /// Reads a URI of exactly the form `spiffe://<trust-domain>/svc/<name>`, or `spiffe://<trust-domain>/reader/<name>/<context>/…`,
    /// where the contexts are in order and each is there once.
    pub fn parse(uri: &str) -> Result<Self, Error> {
        let malformed = || {
            let forms = "spiffe://<trust-domain>/svc/<name> or spiffe://<trust-domain>/reader/<name>/<context>";
            Error::Name(format!("`{uri}` is not of the form {forms}"))
        };
        let rest = uri.strip_prefix(SCHEME).filter(|_| uri.len() <= LONGEST).ok_or_else(malformed)?;
        let (trust_domain, path) = rest.split_once('/').ok_or_else(malformed)?;
        let domain = SCHEME.len() + trust_domain.len();
        let name = match path.strip_prefix(FOLDER) {
            Some(name) if is_label(name, b"-") => uri.len() - name.len(),
            None if Reader::of(path).is_some_and(is_reader) => domain + 1,
            _ => return Err(malformed()),
        };
        if !is_label(trust_domain, b".-_") {
            return Err(malformed());
        }
        Ok(Self { uri: uri.into(), domain, name })
    }

    /// The trust domain, e.g. `tradewind.local`.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        &self.uri[SCHEME.len()..self.domain]
    }

    /// The workload's name, e.g. `ordering`: what `callers` in the contract refer to. That of a reader, `reader/reporting/ordering`,
    /// is no caller's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.uri[self.name..]
    }

    /// What its files are called: the name, of a reader without what it may read.
    #[must_use]
    pub fn short_name(&self) -> &str {
        Reader::of(self.name()).map_or_else(|| self.name(), |reader| reader.name())
    }
}

fn is_label(text: &str, extra: &[u8]) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || extra.contains(&b);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(fits)
}

/// Whether a reader says in the one way there is who it is and what it may read.
fn is_reader(reader: Reader<'_>) -> bool {
    let contexts: Vec<_> = reader.contexts().collect();
    let in_order = contexts.is_sorted_by(|one, next| one < next);
    is_label(reader.name(), b"-") && contexts.iter().all(|context| is_label(context, b"-_")) && in_order
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
    use super::*;

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

    #[test]
    fn a_reader_says_what_it_may_read_in_one_way() {
        let id = SpiffeId::reader("tradewind.local", "reporting", ["payment", "ordering", "payment"]).unwrap();
        assert_eq!(id.to_string(), "spiffe://tradewind.local/reader/reporting/ordering/payment");
        assert_eq!((id.trust_domain(), id.short_name()), ("tradewind.local", "reporting"));
        let reader = Reader::of(id.name()).unwrap();
        assert_eq!(reader.contexts().collect::<Vec<_>>(), ["ordering", "payment"]);
        assert!(reader.reads("ordering") && !reader.reads("order") && !reader.reads("ordering/payment"));
        for other in [
            "spiffe://tradewind.local/reader/reporting",
            "spiffe://tradewind.local/reader/reporting/",
            "spiffe://tradewind.local/reader//ordering",
            "spiffe://tradewind.local/reader/reporting/payment/ordering",
            "spiffe://tradewind.local/reader/reporting/ordering/ordering",
            "spiffe://tradewind.local/reader/reporting/ordering/",
            "spiffe://tradewind.local/reader/reporting/*",
            "spiffe://tradewind.local/readers/reporting/ordering",
        ] {
            assert!(SpiffeId::parse(other).is_err(), "{other} must not parse");
        }
        assert!(SpiffeId::reader("tradewind.local", "reporting", []).is_err());
    }

    #[test]
    fn no_reader_has_the_name_of_a_caller() {
        let id = SpiffeId::reader("tradewind.local", "operator", ["ordering"]).unwrap();
        assert_eq!((id.name(), id.short_name()), ("reader/operator/ordering", "operator"));
        assert!(Reader::of(SpiffeId::new("tradewind.local", "operator").unwrap().name()).is_none());
    }
}
