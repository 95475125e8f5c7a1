//! What the gateway tells of itself: the document of all that is offered, and a page to read it and try it. Nothing of it comes from
//! elsewhere, and the page asks nobody else.

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderMap, HeaderValue, Response};

use crate::answer::Content;
use crate::json::JSON;
use crate::methods::Methods;
use crate::openapi;
use crate::whole::Whole;

const PAGE: &str = include_str!("site/page.html");
const SCRIPT: &str = include_str!("site/page.js");
const STYLE: &str = include_str!("site/page.css");
/// The page runs its own script, and asks only where it comes from.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// The page and the document.
pub(crate) struct Site {
    document: Bytes,
}

impl Site {
    /// Of these methods.
    pub(crate) fn of(methods: &Methods) -> Self {
        Self { document: openapi::document(methods).to_string().into() }
    }

    /// Whether something is here.
    pub(crate) fn has(path: &str) -> bool {
        ["/openapi.json", "/docs", "/docs/page.js", "/docs/page.css"].contains(&path)
    }

    /// Answers a `GET` of what is here; nothing of any other path.
    pub(crate) fn answer(&self, path: &str, is_head: bool, asked: &HeaderMap) -> Option<Response<Content>> {
        let text = |text: &'static str, kind| (Bytes::from_static(text.as_bytes()), HeaderValue::from_static(kind));
        let (body, kind) = match path {
            "/openapi.json" => (self.document.clone(), JSON),
            "/docs" => text(PAGE, "text/html; charset=utf-8"),
            "/docs/page.js" => text(SCRIPT, "text/javascript; charset=utf-8"),
            "/docs/page.css" => text(STYLE, "text/css; charset=utf-8"),
            _ => return None,
        };
        let mut response = Whole::new(body, kind, "no-cache").marked().answer(is_head, asked);
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
        response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        Some(response)
    }
}
