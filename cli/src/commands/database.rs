//! `tradewind database`: copies of a service's database, what to do when one lost events, and the passwords on Kubernetes.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, ensure};
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};
use supervisor::services;
use tradewind_domain::Error;
use uuid::Uuid;

use crate::Global;
use crate::kubernetes::{Cluster, Entries, Secrets};
use crate::local::Layout;
use crate::output::say;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make a Secret PREFIX-SERVICE-database for each service that has none, in the namespace of this pod.
    ///
    /// It holds a new password and the URL with it; role and database are named after the service. What is there is kept.
    Init(Init),
    /// Copy a service's SQLite database into a new file, while the service runs or not.
    ///
    /// The copy is of one moment, and is checked for damage. A plain `cp` of a file in use is no backup: part of it is in the
    /// file `-wal` beside it. For PostgreSQL use pg_dump.
    Backup {
        #[command(flatten)]
        place: Named,
        /// The file to make.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Put a backup in the place of a service's SQLite database, while the service is stopped.
    ///
    /// The backup is checked first, and stays as it is. What was in its place is kept beside it, as `.before-restore`. The event
    /// log gets a new incarnation: whoever has read further in it than the backup reaches stops and says so, instead of skipping
    /// what comes next. For PostgreSQL use pg_restore and then `accept-loss`.
    Restore {
        #[command(flatten)]
        place: Named,
        /// The backup.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
    /// Let a service go on whose database has lost events that it had published.
    ///
    /// Such a service answers, but takes nothing new in (LOG_WENT_BACK), until somebody has looked what is lost. This gives its
    /// event log a new incarnation; the service goes on within a second. Those who have read what is lost stop, to be decided
    /// upon one by one: see the runbook, "A log went back".
    AcceptLoss {
        #[command(flatten)]
        place: Named,
    },
}

/// Which database.
#[derive(clap::Args)]
pub(crate) struct Place {
    /// The service it belongs to.
    #[arg(value_name = "SERVICE", value_parser = services::names())]
    service: String,
    /// Where it is, as the service is told: sqlite:// with a file, or postgres://; otherwise the file in --dir.
    #[arg(long, value_name = "URL", env = "TRADEWIND_DATABASE_URL", hide_env_values = true)]
    url: Option<String>,
    /// A file that holds the URL, instead, as services on Kubernetes are given it.
    #[arg(long, value_name = "FILE", env = "TRADEWIND_DATABASE_URL_FILE")]
    url_file: Option<PathBuf>,
}

/// A place that is taken from the environment only where the command line names none.
pub(crate) struct Named(Place);

impl FromArgMatches for Named {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut place = Place::from_arg_matches(matches)?;
        let is_typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        if ["dir", "url", "url_file"].into_iter().any(is_typed) {
            place.url.take_if(|_| !is_typed("url"));
            place.url_file.take_if(|_| !is_typed("url_file"));
        }
        Ok(Self(place))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Named {
    fn augment_args(command: clap::Command) -> clap::Command {
        Place::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Place::augment_args_for_update(command)
    }
}

impl Place {
    fn url(&self, global: &Global) -> Result<String> {
        ensure!(self.url.is_none() || self.url_file.is_none(), "both a URL and a file with one are given");
        if let Some(file) = &self.url_file {
            let url = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
            return Ok(url.trim().to_owned());
        }
        let own = || Layout::standard(&global.dir).database_url(&self.service);
        Ok(self.url.clone().unwrap_or_else(own))
    }
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

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    match command {
        Command::Init(init) => return make_secrets(init).await,
        Command::Backup { place: Named(place), to } => {
            tradewind_operate::back_up(&place.url(&global)?, &place.service, &to).await.map_err(failed)?;
            say!("{} is in {}", place.service, to.display())?;
        }
        Command::Restore { place: Named(place), from } => {
            let restored = tradewind_operate::restore(&place.url(&global)?, &place.service, &from).await;
            let incarnation = restored.map_err(failed)?;
            say!("{} is as in {}; its log is {incarnation} now", place.service, from.display())?;
        }
        Command::AcceptLoss { place: Named(place) } => {
            let incarnation =
                tradewind_operate::accept_loss(&place.url(&global)?, &place.service).await.map_err(failed)?;
            say!("the log of {} is {incarnation} now", place.service)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(error: Error) -> anyhow::Error {
    anyhow!("{}: {}", error.reason, error.message)
}

async fn make_secrets(init: Init) -> Result<ExitCode> {
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
