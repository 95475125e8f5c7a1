//! This service's own settings; the runtime reads them from its sources.

use std::time::Duration;

use tradewind_runtime::outside::{self, Certificate, Url};

tradewind_runtime::settings! {
    /// Where sales are kept. It may hold a password: it must never have `Debug`.
    pub(crate) struct Config {
        /// http://user:password@host:8123/database of a ClickHouse that keeps sales instead of tables of sums in the service's own database
        clickhouse: Option<Url> = "" => clickhouse,
        /// a certificate of an authority, as PEM, by which it may be known besides the public ones
        clickhouse_ca: Option<Certificate> = "" => outside::authority,
        /// how long one call to it may take, at most 10s; a call to this service is over after 5s
        clickhouse_timeout: Duration = "4s" => outside::timeout::<10>,
    }
}

/// An error never repeats the URL, which may hold a password.
fn clickhouse(text: &str) -> Result<Option<Url>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let is_fine = |url: &Url| {
        let database = url.path().trim_matches('/');
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none() && is_name(database)
    };
    let url = Url::parse(text).ok().filter(is_fine);
    url.map(Some).ok_or_else(|| "is not an http:// or https:// URL that ends with the name of a database".to_owned())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_host_and_a_database() {
        for text in ["http://h:8123/sales", "https://user:p%40ss@h/sales-2/", "http://h/sales?async_insert=1"] {
            assert!(clickhouse(text).unwrap().is_some(), "{text}");
        }
        assert!(clickhouse("").unwrap().is_none());
        for text in
            ["h:8123", "tcp://h/sales", "http://u:secret@h:8123", "http://h/a/b", "http://h/a%20b", "http://h/a#b"]
        {
            let error = clickhouse(text).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
