//! Where a webhook may go: a name is looked up here and nowhere else, and what stands for an address that is not to be reached is
//! not connected to. That is so when an endpoint is registered, and again with every connection: names change.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{Networks, is_public};

/// How long a name may take to be looked up.
const PATIENCE: Duration = Duration::from_secs(4);

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
type Lookup = Arc<dyn Fn(&str) -> Found + Send + Sync>;

/// Why a request goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Barred {
    /// Its name stands for nothing.
    Unknown,
    /// What its name stands for, nobody says at present.
    Unanswered,
    /// It would go to an address that is not public.
    NotAllowed,
}

impl fmt::Display for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the name stands for no address",
            Self::Unanswered => "nobody says what the name stands for",
            Self::NotAllowed => "the address is not public",
        })
    }
}

impl std::error::Error for Barred {}

/// What lets requests through, or does not.
#[derive(Clone)]
pub(crate) struct Guard {
    allowed: Networks,
    lookup: Lookup,
}

impl Guard {
    /// Lets what is public through by https, and what is `allowed` by http as well.
    pub(crate) fn new(allowed: Networks) -> Self {
        Self { allowed, lookup: Arc::new(|name| Box::pin(system(name.to_owned()))) }
    }

    /// Tells whether a URL without TLS goes anywhere.
    pub(crate) fn takes_plain(&self) -> bool {
        !self.allowed.are_none()
    }

    /// Makes sure that a URL stands only for what may be reached.
    ///
    /// # Errors
    /// Why it is not to be asked for.
    pub(crate) async fn check(&self, url: &Url) -> Result<(), Barred> {
        let is_plain = url.scheme() == "http";
        match literal(url) {
            Some(address) => self.lets_through(is_plain, &[address]),
            None => self.look_up(is_plain, url.host_str().unwrap_or_default()).await.map(drop),
        }
    }

    /// The same of a URL with an address in it, which nobody looks up.
    ///
    /// # Errors
    /// As of [`check`](Self::check).
    pub(crate) fn check_literal(&self, url: &Url) -> Result<(), Barred> {
        literal(url).map_or(Ok(()), |address| self.lets_through(url.scheme() == "http", &[address]))
    }

    /// What looks names up for a client of http, or of https.
    pub(crate) fn resolver(&self, is_plain: bool) -> Arc<Resolver> {
        Arc::new(Resolver { guard: self.clone(), is_plain })
    }

    async fn look_up(&self, is_plain: bool, name: &str) -> Result<Vec<IpAddr>, Barred> {
        let found = match tokio::time::timeout(PATIENCE, (self.lookup)(name)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) if is_of_the_name(&error) => Vec::new(),
            _ => return Err(Barred::Unanswered),
        };
        if found.is_empty() {
            return Err(Barred::Unknown);
        }
        self.lets_through(is_plain, &found)?;
        Ok(found)
    }

    /// One that is not to be reached bars them all: whoever answers for the name would choose.
    fn lets_through(&self, is_plain: bool, addresses: &[IpAddr]) -> Result<(), Barred> {
        let lets = |address: &IpAddr| self.allowed.contain(*address) || (!is_plain && is_public(*address));
        if addresses.iter().all(lets) { Ok(()) } else { Err(Barred::NotAllowed) }
    }
}

/// Looks names up for one client.
pub(crate) struct Resolver {
    guard: Guard,
    is_plain: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, is_plain) = (self.guard.clone(), self.is_plain);
        Box::pin(async move {
            let found = guard.look_up(is_plain, name.as_str()).await?;
            // The client knows the port.
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// Whether it is the name that stands for nothing: of anything else asking again may help. Systems tell it by a text alone.
fn is_of_the_name(error: &io::Error) -> bool {
    const NOTHING: [&str; 4] = [
        "Name or service not known",
        "No address associated with hostname",
        "Name does not resolve",
        "nodename nor servname provided",
    ];
    let text = error.to_string();
    NOTHING.iter().any(|nothing| text.contains(nothing))
}

async fn system(name: String) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}

/// The address that a URL has in place of a name. Whatever way it was written in, a URL has one.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;

    use super::*;

    /// Answers each lookup with the next of these.
    fn that_answers(allowed: &str, answers: &[&[&str]]) -> Guard {
        let parsed = |addresses: &&[&str]| addresses.iter().map(|address| address.parse().unwrap()).collect();
        let answers: Mutex<Vec<Vec<IpAddr>>> = Mutex::new(answers.iter().rev().map(parsed).collect());
        let lookup: Lookup = Arc::new(move |_| {
            let next = answers.lock().unwrap().pop().unwrap_or_default();
            Box::pin(async move { Ok(next) })
        });
        Guard { allowed: Networks::read(allowed).unwrap(), lookup }
    }

    async fn checked(guard: &Guard, url: &str) -> Result<(), Barred> {
        guard.check(&Url::parse(url).unwrap()).await
    }

    #[tokio::test]
    async fn an_address_in_a_url_is_looked_at_however_it_is_written() {
        let guard = that_answers("", &[]);
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert_eq!(checked(&guard, url).await, Err(Barred::NotAllowed), "{url}");
            assert!(guard.check_literal(&Url::parse(url).unwrap()).is_err(), "{url}");
        }
        assert_eq!(checked(&guard, "https://1.1.1.1/").await, Ok(()));
    }

    #[tokio::test]
    async fn one_address_that_is_not_public_bars_a_name() {
        let guard = that_answers("", &[&["1.1.1.1"], &["1.1.1.1", "10.0.0.1"], &["::1"], &[]]);
        assert_eq!(checked(&guard, "https://a.example/").await, Ok(()));
        assert_eq!(checked(&guard, "https://a.example/").await, Err(Barred::NotAllowed));
        assert_eq!(checked(&guard, "https://a.example/").await, Err(Barred::NotAllowed));
        assert_eq!(checked(&guard, "https://a.example/").await, Err(Barred::Unknown));
    }

    #[tokio::test]
    async fn a_name_that_stands_for_nothing_is_told_from_one_that_nobody_answers() {
        for (said, barred) in [
            ("failed to lookup address information: Name or service not known", Barred::Unknown),
            ("failed to lookup address information: No address associated with hostname", Barred::Unknown),
            ("failed to lookup address information: Temporary failure in name resolution", Barred::Unanswered),
            ("connection refused", Barred::Unanswered),
        ] {
            let lookup: Lookup = Arc::new(move |_| Box::pin(async move { Err(io::Error::other(said)) }));
            let guard = Guard { allowed: Networks::read("").unwrap(), lookup };
            assert_eq!(checked(&guard, "https://a.example/").await, Err(barred), "{said}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_server_that_is_silent_is_not_waited_for() {
        let lookup: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
        let guard = Guard { allowed: Networks::read("").unwrap(), lookup };
        assert_eq!(checked(&guard, "https://a.example/").await, Err(Barred::Unanswered));
    }

    #[tokio::test]
    async fn without_tls_a_request_goes_only_where_a_setting_lets_it() {
        let guard = that_answers("127.0.0.0/8", &[&["1.1.1.1"], &["127.0.0.1"], &["127.0.0.1"]]);
        assert_eq!(checked(&guard, "http://a.example/").await, Err(Barred::NotAllowed));
        assert_eq!(checked(&guard, "http://a.example/").await, Ok(()));
        assert_eq!(checked(&guard, "https://a.example/").await, Ok(()));
        assert_eq!(checked(&guard, "http://10.0.0.1/").await, Err(Barred::NotAllowed));
    }

    #[tokio::test]
    async fn a_name_that_has_changed_since_it_was_registered_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("https://a.example:{}/", listener.local_addr().unwrap().port())).unwrap();
        let guard = that_answers("", &[&["1.1.1.1"], &["127.0.0.1"]]);
        assert_eq!(guard.check(&url).await, Ok(()), "when it is registered");
        let client = tradewind_runtime::direct().dns_resolver(guard.resolver(false)).build().unwrap();
        let error = client.post(url).send().await.unwrap_err();
        let mut causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        assert!(causes.any(|cause| cause.downcast_ref() == Some(&Barred::NotAllowed)), "{error:?}");
        let nobody = tokio::time::timeout(Duration::from_millis(1), listener.accept()).await;
        assert!(nobody.is_err(), "somebody has connected");
    }
}
