//! The database's URL: read before anything connects, so that no driver gets one that it would repeat in an error or a log.

use std::net::IpAddr;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};
use tradewind_domain::{Error, ErrorKind};

/// What the driver takes; of others it logs the value.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Whether `url` is one that [`Store::open`](crate::Store::open) can use. What is said of it repeats nothing of it, since it may
/// hold a password.
///
/// # Errors
/// `Invalid` with reason `DATABASE_URL_INVALID`.
pub fn check_database_url(url: &str) -> Result<(), Error> {
    if url.starts_with("sqlite:") {
        return Ok(());
    }
    let Some(rest) = ["postgres://", "postgresql://"].iter().find_map(|scheme| url.strip_prefix(scheme)) else {
        return Err(invalid("is not a sqlite:// or postgres:// URL"));
    };
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (path, _) = behind.split_at(behind.find('?').unwrap_or(behind.len()));
    if authority.matches('@').count() > 1 || path.contains('@') || behind.contains('#') {
        return Err(invalid(
            "has a character in its name or password that must be written as %40 for @, %2F for /, and so on",
        ));
    }
    if !parameters(url).all(is_known) {
        return Err(invalid(&format!("has a parameter that is none of {}", PARAMETERS.join(", "))));
    }
    match url.parse::<PgConnectOptions>() {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(invalid("cannot be read: postgres://user:password@host:port/database is, with %40 for @ and so on"))
        }
    }
}

/// Asks for a server whose certificate is for its name, unless the URL or `PGSSLMODE` says what is asked for, or no wire is between.
pub(super) fn verified(options: PgConnectOptions, url: &str) -> PgConnectOptions {
    let host = options.get_host();
    let is_here = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_told = parameters(url).any(|key| key == "sslmode" || key == "ssl-mode")
        || !matches!(options.get_ssl_mode(), PgSslMode::Prefer);
    if is_here || is_told { options } else { options.ssl_mode(PgSslMode::VerifyFull) }
}

fn parameters(url: &str) -> impl Iterator<Item = &str> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').map_or(pair, |(key, _)| key))
}

/// One with a setting of the session in brackets, too.
fn is_known(key: &str) -> bool {
    let name = key.split_once('[').or_else(|| key.split_once("%5B")).map_or(key, |(name, _)| name);
    PARAMETERS.contains(&name)
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, "DATABASE_URL_INVALID", format!("the database URL {what}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_cannot_be_read_is_refused_without_being_repeated() {
        for url in [
            "postgres://u:se#cret@h/d",
            "postgres://u:se/cret@h/d",
            "postgres://u:se?cret@h/d",
            "postgres://u:12#secret@h/d",
            "postgres://u:12?secret=x@h/d",
            "postgres://u:se@cret@h/d",
            "postgres://u:secret@h:notaport/d",
            "postgres://u:secret@h:99999/d",
            "postgres://u:secret@h/d?sslmode=secret",
            "postgres://h/d?pasword=secret",
            "postgres://u:%ffsecret@h/d",
            "postgres://u:secret@[h/d",
            "mysql://u:secret@h/d",
        ] {
            let told = check_database_url(url).unwrap_err();
            assert_eq!((told.kind, told.reason), (ErrorKind::Invalid, "DATABASE_URL_INVALID"), "{url}");
            assert!(!told.message.contains("cret"), "{told}");
        }
        for url in
            ["postgres://u:s%40cret@h:5432/d?sslmode=require", "postgresql://h/d?options[jit]=off", "sqlite::memory:"]
        {
            check_database_url(url).unwrap();
        }
    }

    #[test]
    fn a_server_elsewhere_is_verified_unless_the_url_says_otherwise() {
        let mode = |url: &str| format!("{:?}", verified(url.parse().unwrap(), url).get_ssl_mode());
        for url in
            ["postgres://db.example.org/d", "postgres://u:p@10.0.0.7:5432/d", "postgres://localhost.example.org/d"]
        {
            assert_eq!(mode(url), "VerifyFull", "{url}");
        }
        for url in [
            "postgres://localhost/d",
            "postgres://127.0.0.1:5433/d",
            "postgres://[::1]/d",
            "postgres:///d?host=/run/pg",
        ] {
            assert_eq!(mode(url), "Prefer", "{url}");
        }
        assert_eq!(mode("postgres://db.example.org/d?sslmode=disable"), "Disable");
    }
}
