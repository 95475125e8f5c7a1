//! A PostgreSQL server that holds the databases of a system of its own.

use std::str::FromStr;

use anyhow::{Context, Result, bail};
use reqwest::Url;
use sea_orm::{ConnectionTrait as _, Database};

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
        let server = Database::connect(self.named("postgres")).await.context("cannot connect to PostgreSQL")?;
        for name in names {
            server.execute_unprepared(&format!("DROP DATABASE IF EXISTS {PREFIX}{name} WITH (FORCE)")).await?;
            server.execute_unprepared(&format!("CREATE DATABASE {PREFIX}{name}")).await?;
        }
        Ok(server.close().await?)
    }

    fn named(&self, database: &str) -> String {
        let mut url = self.0.clone();
        url.set_path(database);
        url.into()
    }
}
