//! `tradewind database`: what services need to know of their databases on Kubernetes.

use std::process::ExitCode;

use anyhow::Result;
use uuid::Uuid;

use crate::kubernetes::{Cluster, Entries, Secrets};
use crate::output::say;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make a Secret PREFIX-SERVICE-database for each service that has none, in the namespace of this pod.
    ///
    /// It holds a new password and the URL with it; role and database are named after the service. What is there is kept.
    Init(Init),
}

#[derive(clap::Args)]
pub(crate) struct Init {
    /// What the Secrets' names begin with.
    #[arg(long)]
    prefix: String,
    /// PostgreSQL's host and port.
    #[arg(long, value_name = "HOST:PORT")]
    server: String,
    /// Parameters of the URL, e.g. sslmode=verify-full.
    #[arg(long, default_value = "")]
    parameters: String,
    /// A service with a database; may be repeated.
    #[arg(long = "service", required = true, value_name = "NAME")]
    services: Vec<String>,
    #[command(flatten)]
    cluster: Cluster,
}

pub(crate) async fn run(Command::Init(init): Command) -> Result<ExitCode> {
    let secrets = Secrets::of(&init.cluster)?;
    let mut made = 0;
    for service in &init.services {
        let name = format!("{}-{service}-database", init.prefix);
        if secrets.create(&name, "Opaque", &credentials(service, &init.server, &init.parameters)).await? {
            made += 1;
        }
    }
    say!("made {made} passwords, kept {}", init.services.len() - made)?;
    Ok(ExitCode::SUCCESS)
}

fn credentials(service: &str, server: &str, parameters: &str) -> Entries {
    let password = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let url = format!("postgres://{service}:{password}@{server}/{service}?{parameters}");
    let entries = [("username", service.to_owned()), ("password", password), ("url", url)];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
