//! The two cookies there are: whose session it is, and which browser was shown the page to sign in on.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// A cookie by its name, which a browser keeps from other hosts and from scripts.
#[derive(Clone, Copy)]
pub(crate) struct Cookie {
    plain: &'static str,
    secure: &'static str,
}

pub(crate) const SESSION: Cookie = Cookie { plain: "tradewind_console", secure: "__Host-tradewind_console" };
pub(crate) const FORM: Cookie = Cookie { plain: "tradewind_console_form", secure: "__Host-tradewind_console_form" };

impl Cookie {
    const fn name(self, is_secure: bool) -> &'static str {
        if is_secure { self.secure } else { self.plain }
    }

    /// What a request brings.
    pub(crate) fn of(self, headers: &HeaderMap, is_secure: bool) -> Option<&str> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find_map(|(name, value)| (name == self.name(is_secure)).then_some(value))
    }

    /// As an answer sets it. A name that begins so is taken only for the whole host.
    pub(crate) fn set(self, value: &str, is_secure: bool) -> String {
        let path = if is_secure { "/; Secure" } else { "/console" };
        format!("{}={value}; Path={path}; HttpOnly; SameSite=Strict", self.name(is_secure))
    }

    /// As an answer takes it away.
    pub(crate) fn clear(self, is_secure: bool) -> String {
        format!("{}; Max-Age=0", self.set("", is_secure))
    }
}
