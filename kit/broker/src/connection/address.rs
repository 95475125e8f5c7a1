//! The broker's URL: its servers, and apart from them who the client is, because the driver logs the addresses of servers.

use async_nats::{ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;
use tradewind_domain::{Error, ErrorKind, Sensitive};

/// Who the client says it is, where it has no certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Credentials {
    #[default]
    None,
    User(String, Sensitive<String>),
    Token(Sensitive<String>),
}

impl Credentials {
    pub(super) fn present(self, options: ConnectOptions) -> ConnectOptions {
        match self {
            Self::None => options,
            Self::User(name, password) => options.user_and_password(name, password.into_exposed()),
            Self::Token(token) => options.token(token.into_exposed()),
        }
    }
}

/// Whether `url` is one that [`Broker::connect`](super::Broker::connect) can use. What is said of it repeats nothing of it, since
/// it may hold a password.
///
/// # Errors
/// `Invalid` with reason `BROKER_URL_INVALID`.
pub fn check_broker_url(url: &str) -> Result<(), Error> {
    parse(url).map(drop)
}

/// The servers without credentials, and the credentials, which are the same for all.
pub(super) fn parse(url: &str) -> Result<(Vec<ServerAddr>, Credentials), Error> {
    let mut servers = Vec::new();
    let mut credentials = None;
    for server in url.split(',').map(str::trim) {
        let (address, its) = one(server)?;
        if credentials.get_or_insert_with(|| its.clone()) != &its {
            return Err(invalid("names servers with different users: they are of one cluster and know the same"));
        }
        servers.push(address);
    }
    Ok((servers, credentials.unwrap_or_default()))
}

fn one(server: &str) -> Result<(ServerAddr, Credentials), Error> {
    const FORM: &str = "is not a nats:// or tls:// URL, with %40 for an @ in a password and so on";
    let is_scheme = server.starts_with("nats://") || server.starts_with("tls://");
    let parsed = server.parse::<ServerAddr>().ok().filter(|_| is_scheme && !server.contains(char::is_whitespace));
    let mut url = parsed.ok_or_else(|| invalid(FORM))?.into_inner();
    // What stands behind the host has no meaning; it is the rest of a password that was cut off.
    if url.host_str().is_none_or(str::is_empty) || !matches!(url.path(), "" | "/") || url.query().is_some() {
        return Err(invalid(FORM));
    }
    let text = |part: &str| percent_decode_str(part).decode_utf8().map(String::from).map_err(|_| invalid(FORM));
    let credentials = match (url.username(), url.password()) {
        ("", None) => Credentials::None,
        (token, None) => Credentials::Token(text(token)?.into()),
        (name, Some(password)) => Credentials::User(text(name)?, text(password)?.into()),
    };
    if url.fragment().is_some() || url.set_password(None).is_err() || url.set_username("").is_err() {
        return Err(invalid(FORM));
    }
    let address = ServerAddr::from_url(url).map_err(|_| invalid(FORM))?;
    Ok((address, credentials))
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, "BROKER_URL_INVALID", format!("the broker's URL {what}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_that_may_be_logged_holds_no_credentials() {
        let (servers, credentials) = parse("tls://shop:s%40cret@a:4222, tls://shop:s%40cret@b").unwrap();
        assert_eq!(credentials, Credentials::User("shop".to_owned(), "s@cret".to_owned().into()));
        let shown = format!("{servers:?} {credentials:?}");
        assert!(shown.contains("a") && !shown.contains("cret"), "{shown}");
        assert_eq!(parse("nats://t0ken@[::1]:4222").unwrap().1, Credentials::Token("t0ken".to_owned().into()));
        assert_eq!(parse("nats://127.0.0.1:4222").unwrap().1, Credentials::None);
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_being_repeated() {
        for url in [
            "nats://u:se#cret@h",
            "nats://u:se/cret@h",
            "nats://u:12#secret@h",
            "nats://u:12/secret@h",
            "nats://u:12?secret@h",
            "nats://u:secret@h:notaport",
            "nats://u:%ffsecret@h",
            "nats://u:secret@a,nats://u:other-secret@b",
            "https://u:secret@h",
            "nats://u:sec ret@h",
            "u:secret@h:4222",
            "",
        ] {
            let told = check_broker_url(url).unwrap_err();
            assert_eq!((told.kind, told.reason), (ErrorKind::Invalid, "BROKER_URL_INVALID"), "{url}");
            assert!(!told.message.contains("cret"), "{told}");
        }
    }
}
