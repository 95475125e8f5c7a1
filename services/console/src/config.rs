//! This service's own settings; the runtime reads them from its sources.

use std::net::SocketAddr;
use std::path::PathBuf;

use tradewind_edge::{Proxies, address, file};

tradewind_runtime::settings! {
    /// Where staff come in.
    pub(crate) struct Config {
        /// address:port where pages are shown (HTTP/1.1)
        http_addr: SocketAddr = "127.0.0.1:8085" => address,
        /// file with the certificate of TLS and those between it and its authority; empty for plain HTTP
        tls_certificate: Option<PathBuf> = "" => file,
        /// file with the certificate's private key
        tls_key: Option<PathBuf> = "" => file,
        /// networks of proxies that are believed where a request comes from, as in 10.0.0.0/8, separated by commas
        trusted_proxies: Proxies = "" => Proxies::read,
    }
}
