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
    /// By their paths.
    pages: [(&'static str, Whole); 4],
}

impl Site {
    /// Of these methods.
    pub(crate) fn of(methods: &Methods) -> Self {
        let page = |body: Bytes, kind| Whole::new(body, kind, "no-cache").marked().packed();
        let text = |body: &'static str, kind| page(Bytes::from_static(body.as_bytes()), HeaderValue::from_static(kind));
        let pages = [
            ("/openapi.json", page(openapi::document(methods).to_string().into(), JSON)),
            ("/docs", text(PAGE, "text/html; charset=utf-8")),
            ("/docs/page.js", text(SCRIPT, "text/javascript; charset=utf-8")),
            ("/docs/page.css", text(STYLE, "text/css; charset=utf-8")),
        ];
        Self { pages }
    }

    /// What is here.
    pub(crate) fn page(&self, path: &str) -> Option<&Whole> {
        self.pages.iter().find(|(at, _)| *at == path).map(|(_, page)| page)
    }
}

/// Answers a `GET` of a page.
pub(crate) fn answer(page: &Whole, is_head: bool, asked: &HeaderMap) -> Response<Content> {
    let mut response = page.clone().answer(is_head, asked);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
