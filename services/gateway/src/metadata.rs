//! What a caller may say beside a message to whoever serves it: nothing of its own, unless the composition names it.

use http::HeaderMap;

/// What begins the names of what services say to each other.
pub(crate) const INSIDE: &str = "tradewind-";
/// What the protocol says is read here, and said anew.
const PROTOCOL: &str = "grpc-";

/// The headers of a call that are passed on, by how their names begin.
#[derive(Clone, Debug, Default)]
pub struct Metadata(Vec<String>);

impl Metadata {
    /// Passes on what begins with one of these, in lower case, and is said neither by services to each other nor by the protocol.
    #[must_use]
    pub fn beginning<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(str::to_owned).collect())
    }

    /// Adds what is passed on of some headers to others.
    pub(crate) fn pass(&self, said: &HeaderMap, passed: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        for (name, value) in said {
            let is_named = self.0.iter().any(|begins| name.as_str().starts_with(begins));
            if is_named && ![INSIDE, PROTOCOL].into_iter().any(|begins| name.as_str().starts_with(begins)) {
                passed.append(name, value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn what_is_named_is_passed_on_and_nothing_of_services_or_the_protocol() {
        let names = ["x-one", "x-two", "y-one", "tradewind-user", "grpc-timeout"];
        let value = HeaderValue::from_static("a");
        let mut said = HeaderMap::from_iter(names.map(|name| (HeaderName::from_static(name), value.clone())));
        said.append("x-one", HeaderValue::from_static("b"));
        let passed = |metadata: &Metadata| {
            let mut passed = HeaderMap::new();
            metadata.pass(&said, &mut passed);
            let mut passed: Vec<_> =
                passed.iter().map(|(name, value)| format!("{name} {}", value.to_str().unwrap_or_default())).collect();
            passed.sort();
            passed
        };
        assert_eq!(passed(&Metadata::default()), [""; 0]);
        assert_eq!(passed(&Metadata::beginning(["x-", "tradewind-", "grpc-"])), ["x-one a", "x-one b", "x-two a"]);
    }
}
