//! Which pages may call from a browser (the Fetch standard's CORS). A page of an origin that is not named is answered nothing that
//! its browser would let it read.

use std::collections::BTreeSet;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};

use crate::answer::Content;

/// What a page may say, and what it may read.
const SAYS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, x-grpc-web, x-user-agent, grpc-timeout, idempotency-key, if-none-match, x-request-id",
);
const READS: HeaderValue = HeaderValue::from_static(
    "grpc-status, grpc-message, grpc-status-details-bin, x-request-id, etag, retry-after, ratelimit, ratelimit-policy, www-authenticate, allow",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, HEAD");
/// How long a browser remembers, in seconds.
const AGE: HeaderValue = HeaderValue::from_static("7200");

/// The origins whose pages may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    any: bool,
    named: BTreeSet<String>,
}

impl Origins {
    /// Reads origins, separated by commas; `*` is all of them.
    ///
    /// # Errors
    /// Text that is no origin.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut origins = Self::default();
        for origin in text.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
            match origin {
                "*" => origins.any = true,
                _ if is_origin(origin) => _ = origins.named.insert(origin.to_owned()),
                _ => return Err(format!("{origin:?} is not an origin such as https://shop.example")),
            }
        }
        Ok(origins)
    }

    fn allow(&self, origin: &HeaderValue) -> bool {
        self.any || origin.to_str().is_ok_and(|origin| self.named.contains(origin))
    }

    /// Answers a browser that asks whether a page may call; nothing where that is not asked.
    pub(crate) fn preflight<B>(&self, request: &Request<B>) -> Option<Response<Content>> {
        let headers = request.headers();
        let asks = request.method() == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let origin = headers.get(ORIGIN).filter(|_| asks)?;
        let mut response = Response::new(Content::Whole(bytes::Bytes::new()));
        *response.status_mut() = StatusCode::FORBIDDEN;
        if self.allow(origin) {
            *response.status_mut() = StatusCode::NO_CONTENT;
            let said = response.headers_mut();
            said.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            said.insert(ACCESS_CONTROL_ALLOW_HEADERS, SAYS);
            said.insert(ACCESS_CONTROL_MAX_AGE, AGE);
        }
        Some(response)
    }

    /// Lets the page of an origin read the answer with these headers, if it may.
    pub(crate) fn let_read(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if !self.any && self.named.is_empty() {
            return;
        }
        headers.append(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = origin.filter(|origin| self.allow(origin)) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READS);
        }
    }
}

fn is_origin(text: &str) -> bool {
    let whole = |uri: &Uri| {
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        Some(format!("{scheme}://{authority}"))
    };
    text.parse().ok().as_ref().and_then(whole).is_some_and(|origin| origin == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_schemes_with_hosts_and_nothing_more() {
        let read = Origins::read("https://shop.example, http://localhost:3000");
        assert!(read.is_ok_and(|origins| origins.allow(&HeaderValue::from_static("http://localhost:3000"))));
        for odd in ["shop.example", "https://shop.example/", "https://a/b", "null", "https://"] {
            assert!(Origins::read(odd).is_err(), "{odd}");
        }
        let any = Origins::read("*").unwrap_or_default();
        assert!(
            any.allow(&HeaderValue::from_static("null")) && !Origins::default().allow(&HeaderValue::from_static("*"))
        );
    }
}
