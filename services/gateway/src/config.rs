//! This service's own settings; the runtime reads them from its sources.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use tradewind_edge::{Proxies, address, file};
use tradewind_runtime::positive;

use crate::cors::Origins;
use crate::limits::Rules;
use crate::who::Issuers;

tradewind_runtime::settings! {
    /// Where and to whom the gateway answers.
    pub(crate) struct Config {
        /// address:port where whoever is outside is answered (HTTP/1.1 and HTTP/2)
        http_addr: SocketAddr = "127.0.0.1:8080" => address,
        /// file with the certificate of TLS and those between it and its authority; empty for plain HTTP
        tls_certificate: Option<PathBuf> = "" => file,
        /// file with the certificate's private key
        tls_key: Option<PathBuf> = "" => file,
        /// who issues the shop's access tokens, as identity has it; empty for nobody
        issuer: String = "http://localhost:8080" => text,
        /// who else is trusted, separated by semicolons: PREFIX ISSUER KEYS-URL AUDIENCE [roles]
        trusted_issuers: Issuers = "" => Issuers::read,
        /// how long their tokens may be good: one that is for longer is refused
        trusted_token_lifetime: Duration = "24h" => tradewind_runtime::duration,
        /// networks of proxies that are believed where a request comes from, as in 10.0.0.0/8, separated by commas
        trusted_proxies: Proxies = "" => Proxies::read,
        /// origins whose pages may call from a browser, separated by commas; * for all, empty for none
        cors_origins: Origins = "" => Origins::read,
        /// what of the usual limits is otherwise, separated by semicolons, as in read user 50/s burst 100; streams address 40; none for no limits
        limits: Rules = "" => Rules::read,
        /// the most connections at once, where there is memory for them; one more ends the one that has rested longest
        connections: NonZeroUsize = "8192" => positive,
        /// the most connections at once from one address, or one /64 of IPv6; proxies that are trusted have as many as they want
        connections_of_one: NonZeroUsize = "256" => positive,
        /// the most bytes of a request in JSON
        json_bytes: NonZeroUsize = "1048576" => positive,
        /// how long a thread with nothing to do looks for more before it sleeps, as in 200us: sooner answers where little goes on, for more processor
        busy_poll: Duration = "0s" => busy_poll,
        /// MiB of memory to reckon with; 0 for what the container may have, or else the machine has
        memory: usize = "0" => number,
    }
}

/// Longer would be to look for ever.
const LONGEST_POLL: Duration = Duration::from_millis(100);

fn busy_poll(text: &str) -> Result<Duration, String> {
    let time = tradewind_runtime::duration(text)?;
    if time <= LONGEST_POLL { Ok(time) } else { Err(format!("{text:?} is longer than {LONGEST_POLL:?}")) }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}

#[expect(clippy::unnecessary_wraps, reason = "the runtime lets a setting be refused")]
fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}
