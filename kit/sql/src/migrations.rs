//! Migrations, run when a database is opened.
//!
//! A database may have seen a later build, whose release was rolled back: migrations only ever add, so what a later one has
//! added does no harm, and it is passed over. What a later build did is told by its name: `<family>_<number>_…`, numbered up.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};
use sea_orm_migration::prelude::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTraitSelf, SchemaManager};
use tradewind_domain::{Error, ErrorKind};

use crate::backoff::jitter;
use crate::error::db;
use crate::statement::statement;

/// How often a migration that replicas run at the same time is tried.
const ATTEMPTS: u32 = 10;
/// Where the migrator keeps what has run.
const APPLIED: &str = "seaql_migrations";

/// Brings the schema up to date. Replicas that start together may trip over each other's CREATE TABLE: whoever comes second
/// finds it done.
///
/// # Errors
/// `Rejected` with reason `MIGRATION_UNKNOWN` when something else than a later build was at it; otherwise what the database says.
pub async fn migrate(
    connection: &DatabaseConnection,
    migrations: impl IntoIterator<Item = Box<dyn MigrationTrait>>,
) -> Result<(), Error> {
    let known: Vec<Arc<dyn MigrationTrait>> = migrations.into_iter().map(Arc::from).collect();
    let mut attempt = 1;
    loop {
        let names: Vec<&str> = known.iter().map(|migration| migration.name()).collect();
        let later = later(&names, applied(connection).await?)?;
        if !later.is_empty() {
            tracing::info!(?later, "a later build has added to the database, which this one passes over");
        }
        let passed_over = later.into_iter().map(|name| Arc::new(PassedOver(name)) as Arc<dyn MigrationTrait>);
        let migrator = Migrations(known.iter().cloned().chain(passed_over).collect());
        match migrator.up(connection, None).await {
            Ok(()) => return Ok(()),
            Err(error) if attempt < ATTEMPTS && connection.get_database_backend() == DbBackend::Postgres => {
                tracing::debug!(%error, attempt, "migrating failed, trying again");
                attempt += 1;
                tokio::time::sleep(Duration::from_millis(100) + jitter(Duration::from_millis(200))).await;
            }
            Err(error) => return Err(db(error)),
        }
    }
}

/// The names of the migrations that have run on the database.
async fn applied(connection: &DatabaseConnection) -> Result<Vec<String>, Error> {
    if !SchemaManager::new(connection).has_table(APPLIED).await.map_err(db)? {
        return Ok(Vec::new());
    }
    let all = statement(connection.get_database_backend(), "SELECT version FROM seaql_migrations ORDER BY version", []);
    let rows = connection.query_all_raw(all).await.map_err(db)?;
    rows.iter().map(|row| row.try_get("", "version").map_err(db)).collect()
}

/// Those of `applied` that nobody here knows, if each comes after all that are known of its family.
fn later(known: &[&str], applied: Vec<String>) -> Result<Vec<String>, Error> {
    let unknown = applied.into_iter().filter(|name| !known.contains(&name.as_str()));
    unknown
        .map(|name| {
            let last = known.iter().filter(|other| family(other) == family(&name)).filter_map(|one| number(one)).max();
            if number(&name).zip(last).is_some_and(|(number, last)| number > last) {
                return Ok(name);
            }
            let text = format!(
                "the migration {name} has run on this database; this build does not know it, and it is not later than \
                 those it knows: is this the right release?"
            );
            Err(Error::new(ErrorKind::Rejected, "MIGRATION_UNKNOWN", text))
        })
        .collect()
}

fn family(name: &str) -> &str {
    name.split_once('_').map_or(name, |(family, _)| family)
}

fn number(name: &str) -> Option<u32> {
    name.split('_').nth(1)?.parse().ok()
}

/// All of them, handed out as often as the migrator asks.
struct Migrations(Vec<Arc<dyn MigrationTrait>>);

#[async_trait::async_trait]
impl MigratorTraitSelf for Migrations {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        self.0.iter().map(|migration| Box::new(Shared(Arc::clone(migration))) as Box<dyn MigrationTrait>).collect()
    }
}

struct Shared(Arc<dyn MigrationTrait>);

impl MigrationName for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Shared {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.up(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.down(manager).await
    }

    /// A process killed between two statements of a migration must find none of them done, on SQLite too.
    fn use_transaction(&self) -> Option<bool> {
        self.0.use_transaction().or(Some(true))
    }
}

/// Stands for one that has run, without which the migrator would refuse the database.
struct PassedOver(String);

impl MigrationName for PassedOver {
    fn name(&self) -> &str {
        &self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for PassedOver {
    async fn up(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const KNOWN: [&str; 3] = ["kit_0001_a", "kit_0003_b", "bank_0002_c"];

    fn told(applied: &[&str]) -> Result<Vec<String>, &'static str> {
        later(&KNOWN, applied.iter().map(|name| (*name).to_owned()).collect()).map_err(|error| error.reason)
    }

    #[test]
    fn what_comes_after_all_that_is_known_is_passed_over() {
        assert_eq!(told(&KNOWN), Ok(Vec::new()));
        assert_eq!(told(&["kit_0004_x", "kit_0010_y", "bank_0003_z"]).unwrap().len(), 3);
    }

    #[test]
    fn what_comes_in_between_or_from_nowhere_is_refused() {
        for name in ["kit_0002_x", "kit_0003_other", "bank_0001_x", "shop_0001_x", "kit_x", "m20220101_000001_x", ""] {
            assert_eq!(told(&["kit_0001_a", name]), Err("MIGRATION_UNKNOWN"), "{name}");
        }
    }
}
