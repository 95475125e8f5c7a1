//! A PostgreSQL server that holds the databases of a system of its own.

use std::str::FromStr;

use anyhow::{Context, Result, bail};
use reqwest::Url;
use tradewind_sql::create_databases;

/// The server, and how the names of its databases begin.
#[derive(Clone, Debug)]
pub(crate) struct Postgres(Url);

/// Lest a database that somebody keeps there be taken for one of ours.
const PREFIX: &str = "tradewind_replay_";

impl FromStr for Postgres {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let url = Url::parse(text).context("no URL")?;
        match (url.scheme(), url.path()) {
            ("postgres" | "postgresql", "" | "/") => Ok(Self(url)),
            _ => bail!("not of the form postgres://user@host:port, without a database"),
        }
    }
}

impl Postgres {
    /// The address of one of our databases.
    pub(crate) fn database(&self, name: &str) -> String {
        self.named(&format!("{PREFIX}{name}"))
    }

    /// Makes the databases of these names, empty: what they held before is gone.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub(crate) async fn create(&self, names: impl IntoIterator<Item = &str>) -> Result<()> {
        let names = names.into_iter().map(|name| format!("{PREFIX}{name}"));
        create_databases(&self.named("postgres"), names).await.context("cannot make databases on the PostgreSQL server")
    }

    fn named(&self, database: &str) -> String {
        let mut url = self.0.clone();
        url.set_path(database);
        url.into()
    }
}
