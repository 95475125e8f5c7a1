//! `tradewind broker`: what the broker has to know of the services.

use std::process::ExitCode;

use anyhow::Result;

use crate::local::{TRUST_DOMAIN, broker_users};
use crate::output::say;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print the broker's users and their permissions, for nats-server's configuration.
    ///
    /// The text is JSON, which nats-server reads: save it to a file and `include` that at the top level of the server's own,
    /// whose `tls` block says `verify_and_map: true`. Each user is the SPIFFE id in a certificate: one for each context of the
    /// contracts, which may publish its own events and read the contexts it reacts to, and `operator`, which may look at
    /// streams and consumers.
    Config {
        /// The trust domain of the certificates.
        #[arg(long, default_value = TRUST_DOMAIN, value_name = "NAME")]
        trust_domain: String,
    },
}

pub(crate) fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Config { trust_domain } => broker_users(&trust_domain)?.lines().try_for_each(|line| say!("{line}"))?,
    }
    Ok(ExitCode::SUCCESS)
}
