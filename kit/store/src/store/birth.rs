//! Bringing a database up to date: the tables, and what is fixed when it is born.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use sea_orm_migration::MigrationTrait;
use tradewind_domain::{Error, ErrorKind};
use tradewind_sql::{db, migrate, statement};
use uuid::Uuid;

use crate::schema;
/// What a database keeps of its birth.
pub(super) struct Born {
    pub(super) partitions: u16,
    /// What is about somebody is sealed.
    pub(super) seals: bool,
}

const SQLITE_PARTITIONS: u16 = 1;
const POSTGRES_PARTITIONS: u16 = 4;
/// The most a log may have: the broker's permissions name the reader of each.
pub const MOST_PARTITIONS: u16 = 16;

/// Under which key it is kept that what is about somebody is sealed.
const SEALS: &str = "seals";

/// Refuses another context's database, migrates, and reads or writes what is fixed at birth. One that is new seals what is about
/// somebody, and one that `begins` to.
pub(super) async fn prepare(
    connection: &DatabaseConnection,
    context: &'static str,
    migrations: Vec<Box<dyn MigrationTrait>>,
    partitions: Option<u16>,
    begins: bool,
) -> Result<Born, Error> {
    if partitions.is_some_and(|count| !(1..=MOST_PARTITIONS).contains(&count)) {
        let text = format!("a log has 1 to {MOST_PARTITIONS} partitions");
        return Err(Error::invalid("partitions", "PARTITIONS_INVALID", text));
    }
    let owner = context_of(connection).await?;
    check(context, owner.as_deref())?;
    migrate(connection, schema::migrations().into_iter().chain(migrations)).await?;
    let partitions = partitions.unwrap_or(match connection.get_database_backend() {
        DbBackend::Sqlite => SQLITE_PARTITIONS,
        _ => POSTGRES_PARTITIONS,
    });
    // In one statement: a database that has an owner and does not seal is one from before.
    let seals = if owner.is_none() || begins { format!(", ('{SEALS}', '')") } else { String::new() };
    let first = statement(
        connection.get_database_backend(),
        format!(
            "INSERT INTO meta (key, value) VALUES ('context', $1), ('incarnation', $2), ('partitions', $3){seals} \
             ON CONFLICT (key) DO NOTHING"
        ),
        [context.into(), Uuid::new_v4().to_string().into(), partitions.to_string().into()],
    );
    connection.execute_raw(first).await.map_err(db)?;
    let facts = facts(connection).await?;
    check(context, facts.get("context").map(String::as_str))?;
    let fact = |key: &str| facts.get(key).map_or("", String::as_str);
    let partitions = fact("partitions").parse().map_err(Error::internal)?;
    Ok(Born { partitions, seals: facts.contains_key(SEALS) })
}

async fn facts(connection: &DatabaseConnection) -> Result<HashMap<String, String>, Error> {
    let all = statement(connection.get_database_backend(), "SELECT key, value FROM meta", []);
    let rows = connection.query_all_raw(all).await.map_err(db)?;
    rows.iter().map(|row| Ok((row.try_get("", "key").map_err(db)?, row.try_get("", "value").map_err(db)?))).collect()
}

fn check(context: &str, owner: Option<&str>) -> Result<(), Error> {
    match owner {
        Some(owner) if owner != context => Err(Error::new(
            ErrorKind::Rejected,
            "WRONG_DATABASE",
            format!("the database belongs to {owner}, not to {context}"),
        )),
        _ => Ok(()),
    }
}

/// The context that owns a database, for somebody who has no store open on it; `None` where there is no log in it.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn context_of(connection: &impl ConnectionTrait) -> Result<Option<String>, Error> {
    let query = statement(connection.get_database_backend(), "SELECT value FROM meta WHERE key = 'context'", []);
    match connection.query_one_raw(query).await {
        Ok(row) => row.map(|row| row.try_get("", "value").map_err(db)).transpose(),
        Err(error) if error.to_string().contains("meta") => Ok(None),
        Err(error) => Err(db(error)),
    }
}
