//! Migrations, run when a database is opened.
//!
//! A database may have seen a later build, whose release was rolled back: migrations only ever add, so what a later one has
//! added does no harm, and it is passed over. What a later build did is told by its name: `<family>_<number>_…`, numbered up.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, QuerySelect, Schema,
    TransactionTrait,
};
use sea_orm_migration::seaql_migrations::{ActiveModel, Column, Entity};
use sea_orm_migration::{MigrationTrait, SchemaManager};
use tradewind_domain::{Error, ErrorKind};

use crate::backoff::jitter;
use crate::connect::commit;
use crate::error::db;

/// How often a migration that replicas run at the same time is tried.
const ATTEMPTS: u32 = 10;

/// Brings the schema up to date. Replicas that start together may trip over each other's CREATE TABLE: whoever comes second
/// finds it done.
///
/// # Errors
/// `Rejected` with reason `MIGRATION_UNKNOWN` when something else than a later build was at it; otherwise what the database says.
pub async fn migrate(
    connection: &DatabaseConnection,
    migrations: impl IntoIterator<Item = Box<dyn MigrationTrait>>,
) -> Result<(), Error> {
    let known: Vec<Box<dyn MigrationTrait>> = migrations.into_iter().collect();
    let names: Vec<&str> = known.iter().map(|migration| migration.name()).collect();
    let mut attempt = 1;
    loop {
        let error = match applied(connection).await {
            Ok(applied) => {
                let later = later(&names, &applied)?;
                if !later.is_empty() {
                    tracing::info!(?later, "a later build has added to the database, which this one passes over");
                }
                let missing = known.iter().filter(|migration| !applied.iter().any(|name| name == migration.name()));
                match apply(connection, missing.map(|migration| &**migration)).await {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        if attempt == ATTEMPTS || connection.get_database_backend() != DbBackend::Postgres {
            return Err(db(error));
        }
        tracing::debug!(%error, attempt, "migrating failed, trying again");
        attempt += 1;
        tokio::time::sleep(Duration::from_millis(100) + jitter(Duration::from_millis(200))).await;
    }
}

/// The names of the migrations that have run on the database, in the table in which sea-orm keeps them.
async fn applied(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let mut table = Schema::new(connection.get_database_backend()).create_table_from_entity(Entity);
    connection.execute(table.if_not_exists()).await?;
    // The other column is a number whose size sea-orm does not declare on SQLite.
    Entity::find().select_only().column(Column::Version).into_tuple::<String>().all(connection).await
}

/// Runs `migrations`. A process killed between two statements of one must leave none of them done, on SQLite too.
async fn apply<'a>(
    connection: &DatabaseConnection,
    migrations: impl Iterator<Item = &'a dyn MigrationTrait>,
) -> Result<(), DbErr> {
    for migration in migrations {
        #[expect(clippy::disallowed_methods, reason = "sea-orm's table says when, and nobody decides by it")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let applied_at = Set(i64::try_from(now).unwrap_or(i64::MAX));
        let done = Entity::insert(ActiveModel { version: Set(migration.name().to_owned()), applied_at });
        if migration.use_transaction() == Some(false) {
            migration.up(&SchemaManager::new(connection)).await?;
            done.exec_without_returning(connection).await?;
            continue;
        }
        let transaction = connection.begin().await?;
        if connection.get_database_backend() == DbBackend::Postgres {
            // What serves calls is cut short; an index of a large table takes as long as it takes.
            transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
        }
        migration.up(&SchemaManager::new(&transaction)).await?;
        done.exec_without_returning(&transaction).await?;
        commit(connection, transaction).await?;
    }
    Ok(())
}

/// Those of `applied` that nobody here knows, if each comes after all that are known of its family.
fn later<'a>(known: &[&str], applied: &'a [String]) -> Result<Vec<&'a str>, Error> {
    let unknown = applied.iter().map(String::as_str).filter(|name| !known.contains(name));
    unknown
        .map(|name| {
            let last = known.iter().filter(|other| family(other) == family(name)).filter_map(|one| number(one)).max();
            if number(name).zip(last).is_some_and(|(number, last)| number > last) {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const KNOWN: [&str; 3] = ["kit_0001_a", "kit_0003_b", "bank_0002_c"];

    fn told(applied: &[&str]) -> Result<usize, &'static str> {
        let applied: Vec<String> = applied.iter().map(|name| (*name).to_owned()).collect();
        later(&KNOWN, &applied).map(|later| later.len()).map_err(|error| error.reason)
    }

    #[test]
    fn what_comes_after_all_that_is_known_is_passed_over() {
        assert_eq!(told(&KNOWN), Ok(0));
        assert_eq!(told(&["kit_0004_x", "kit_0010_y", "bank_0003_z"]), Ok(3));
    }

    #[test]
    fn what_comes_in_between_or_from_nowhere_is_refused() {
        for name in ["kit_0002_x", "kit_0003_other", "bank_0001_x", "shop_0001_x", "kit_x", "m20220101_000001_x", ""] {
            assert_eq!(told(&["kit_0001_a", name]), Err("MIGRATION_UNKNOWN"), "{name}");
        }
    }
}
