//! The console at the edge: the shop's own people sign in with a password, look, and do what their role lets them. What is shown, and
//! who is let in, is `console`'s business (`tradewind-console`).
//!
//! This file is the composition root. Each call is made for whoever has signed in, so services decide and write down who it was.

mod config;

use anyhow::Context as _;
use shop::Clients;
use tokio::net::TcpListener;
use tradewind_console::{Desk, Door, Staff, acceptor, serve};
use tradewind_edge::Files;
use tradewind_runtime::{Front, Outlook, Service, SettingsError};

use crate::config::Config;

/// Who knows staff.
const IDENTITY: &str = "identity";

/// The console, ready to be run.
#[must_use]
pub fn service() -> Service {
    let service = Service::at_the_edge::<Config, _>("console", open);
    service.purpose("shows staff the shop, and does what they ask").ports(8085, 7285).without_broker()
}

async fn open(outlook: Outlook, config: Config) -> anyhow::Result<Front> {
    let Config { http_addr, tls_certificate, tls_key, trusted_proxies } = config;
    let files = Files::of(tls_certificate, tls_key)?;
    let tls = files.map(|files| acceptor(&files)).transpose();
    let tls = tls.map_err(|error| SettingsError::of("tls_certificate", error))?;
    let identity = outlook.channels.to(IDENTITY).map_err(|error| SettingsError::of("peers", error))?;
    let listener = TcpListener::bind(http_addr).await;
    let listener = listener.with_context(|| SettingsError::of("http_addr", format!("{http_addr} cannot be bound")))?;
    let address = listener.local_addr()?;
    let is_private = tls.is_none() && address.ip().is_loopback() && trusted_proxies.is_empty();
    let door = Door::for_staff(Staff::of_identity(identity));
    let desk = Desk::new(Clients::of(outlook.channels), if is_private { door } else { door.secure() });
    Ok(Front::new(address, move |stop, grace| serve(listener, tls, desk.behind(trusted_proxies).until(stop), grace)))
}
