//! The database's URL: read before anything connects, so that no driver gets one that it would repeat in an error or a log. What
//! others' URLs ask for besides is left out where it only tunes, and refused by name where it changes what a connection is.

use std::net::IpAddr;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};
use tradewind_domain::{Error, ErrorKind};

use crate::file::sqlite_file;

/// A database that nobody else sees, and that ends with its connection.
const MEMORY: &str = "sqlite::memory:";

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

/// What libpq, or another client whose URLs are passed round, takes besides: the values with which it is left out, any where there are
/// none, since it only tunes or is so anyway; and what is said of every other value.
const LEFT_OUT: [(&str, Option<&[&str]>, &str); 33] = [
    ("sslrootcert", Some(&["system"]), ""),
    ("connect_timeout", None, ""),
    ("keepalives", None, ""),
    ("keepalives_idle", None, ""),
    ("keepalives_interval", None, ""),
    ("keepalives_count", None, ""),
    ("tcp_user_timeout", None, ""),
    ("fallback_application_name", None, ""),
    ("load_balance_hosts", None, ""),
    ("sslcompression", None, ""),
    ("sslsni", Some(&["1"]), "the server is always told its name"),
    ("sslnegotiation", Some(&["postgres"]), "TLS is asked for in PostgreSQL's way only"),
    ("ssl_min_protocol_version", Some(&["TLSv1", "TLSv1.1", "TLSv1.2"]), "TLS 1.2 is taken as well"),
    ("ssl_max_protocol_version", Some(&["TLSv1.3"]), "TLS 1.3 is always offered"),
    ("gssencmode", Some(&["disable", "prefer"]), "there is no GSSAPI here, only TLS"),
    ("krbsrvname", None, ""),
    ("gsslib", None, ""),
    ("gssdelegation", Some(&["0"]), "there is no GSSAPI here"),
    (
        "channel_binding",
        Some(&["disable", "prefer"]),
        "no channel is bound; leave it out, and say sslmode=verify-full instead",
    ),
    (
        "require_auth",
        Some(&[]),
        "the server chooses how a password is sent; leave it out, and say sslmode=verify-full instead",
    ),
    ("target_session_attrs", Some(&["any", "read-write", "primary"]), "a service needs a server that takes writes"),
    ("client_encoding", Some(&["auto", "utf8", "UTF8", "utf-8", "UTF-8"]), "sessions are in UTF-8"),
    ("passfile", Some(&[]), "write the password into the URL, or name the file in PGPASSFILE"),
    ("service", Some(&[]), "write into the URL what is in the service's file"),
    ("sslpassword", Some(&[]), "a key is read without a password"),
    ("sslcrl", Some(&[]), "no list of withdrawn certificates is read"),
    ("sslcrldir", Some(&[]), "no list of withdrawn certificates is read"),
    ("replication", Some(&["false", "off", "no", "0"]), "a service is no replica"),
    ("ssl", Some(&[]), "say sslmode=verify-full instead, or sslmode=disable"),
    (
        "pgbouncer",
        Some(&["false"]),
        "statements are prepared, which a pooler in transaction mode loses; name the server, or a pooler in session mode",
    ),
    ("schema", Some(&["public"]), "say options=-c%20search_path%3Dname instead"),
    ("connection_limit", None, ""),
    ("pool_timeout", None, ""),
];

/// Whether `url` is one that [`Connections::open`](crate::Connections::open) can use. What is said of it repeats nothing of it but the names of
/// parameters there are, since it may hold a password.
///
/// # Errors
/// `Invalid` with reason `DATABASE_URL_INVALID`.
pub fn check_database_url(url: &str) -> Result<(), Error> {
    if url.starts_with("sqlite:") {
        let file = sqlite_file(url).is_some_and(|file| file.as_os_str() != ":memory:");
        if !file && url != MEMORY {
            return Err(invalid("names no SQLite file: sqlite:///folder/file.db, whose name is UTF-8"));
        }
        return match parameters(url).find(|parameter| !matches!(parameter, ("mode", "rw" | "rwc"))) {
            Some((key, _)) => Err(invalid(&format!("has a parameter that is not known here: {key}"))),
            None => Ok(()),
        };
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
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    if hosts.contains(',') || parameters(url).any(|(key, value)| key == "host" && value.contains(',')) {
        return Err(invalid(
            "names more than one server: name the one that takes writes, or an address that leads to it",
        ));
    }
    for (key, value) in parameters(url) {
        match left_out(key, value) {
            Ok(Some(_)) => {}
            Ok(None) if is_known(key) => {}
            Ok(None) => {
                return Err(invalid(&format!("has a parameter that is none of {}", PARAMETERS.join(", "))));
            }
            Err((name, why)) => return Err(invalid(&format!("asks for a {name} that cannot be: {why}"))),
        }
    }
    match driver_url(url).0.parse::<PgConnectOptions>() {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(invalid("cannot be read: postgres://user:password@host:port/database is, with %40 for @ and so on"))
        }
    }
}

/// Asks for a server whose certificate is for its name, unless the URL or `PGSSLMODE` says what is asked for, or no wire is between.
#[must_use]
pub fn verified(options: PgConnectOptions, url: &str) -> PgConnectOptions {
    let host = options.get_host();
    let is_here = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_told = parameters(url).any(|(key, _)| key == "sslmode" || key == "ssl-mode")
        || !matches!(options.get_ssl_mode(), PgSslMode::Prefer);
    if is_here || is_told { options } else { options.ssl_mode(PgSslMode::VerifyFull) }
}

/// The URL as the driver takes it, and the names of what was left out.
#[must_use]
pub fn driver_url(url: &str) -> (String, Vec<&'static str>) {
    let Some((before, query)) = url.split_once('?').filter(|_| !url.starts_with("sqlite:")) else {
        return (url.to_owned(), Vec::new());
    };
    let mut names = Vec::new();
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = left_out(key, value).ok().flatten();
            names.extend(name);
            name.is_none()
        })
        .collect();
    let query = kept.join("&");
    (if query.is_empty() { before.to_owned() } else { format!("{before}?{query}") }, names)
}

/// The parameter's name where it is left out; why it cannot be heeded where it may be neither left out nor given to the driver.
fn left_out(key: &str, value: &str) -> Result<Option<&'static str>, (&'static str, &'static str)> {
    let Some((name, values, why)) = LEFT_OUT.into_iter().find(|(name, ..)| *name == key) else {
        return Ok(None);
    };
    match values {
        Some(values) if !values.contains(&value) => {
            if is_known(key) {
                Ok(None)
            } else {
                Err((name, why))
            }
        }
        _ => Ok(Some(name)),
    }
}

fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
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
mod tests;
