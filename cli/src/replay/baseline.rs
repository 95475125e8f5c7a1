//! What this machine's disk can do, measured in the same run: single-insert commits a second.

use std::time::{Duration, Instant};

use anyhow::Result;
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use tradewind_sql::connect;

use crate::local::{Layout, Postgres};

const MEASURED_FOR: Duration = Duration::from_secs(2);
/// The database it is measured in.
pub(super) const NAME: &str = "baseline";

/// Commits of one inserted row each, one after the other: what a service's own database does at least once for every change.
/// On PostgreSQL, whose database [`NAME`] is there, or in SQLite with WAL and `synchronous=FULL`. Returns commits a second.
///
/// # Errors
/// When the database cannot be written.
pub(super) async fn commits_per_second(layout: &Layout, postgres: Option<&Postgres>) -> Result<f64> {
    match postgres {
        Some(server) => {
            let database = connect(&server.database(NAME)).await?;
            let measured = measure(&database, "BIGINT GENERATED ALWAYS AS IDENTITY").await;
            database.close().await?;
            measured
        }
        None => {
            std::fs::create_dir_all(layout.state())?;
            let path = layout.state().join(NAME).with_extension("db");
            let database = connect(&(tradewind_sql::sqlite_url(&path) + "?mode=rwc")).await?;
            database.execute_unprepared("PRAGMA journal_mode=WAL").await?;
            database.execute_unprepared("PRAGMA synchronous=FULL").await?;
            let measured = measure(&database, "INTEGER").await;
            database.close().await?;
            for suffix in ["", "-wal", "-shm"] {
                // The last two vanish by themselves when the database is closed in order.
                let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
            }
            measured
        }
    }
}

async fn measure(database: &DatabaseConnection, number: &str) -> Result<f64> {
    database.execute_unprepared(&format!("CREATE TABLE sold (id {number} PRIMARY KEY, text TEXT NOT NULL)")).await?;
    let started = Instant::now();
    let mut commits = 0_u32;
    while started.elapsed() < MEASURED_FOR {
        database
            .execute_unprepared("INSERT INTO sold (text) VALUES ('what one order line might hold, more or less')")
            .await?;
        commits += 1;
    }
    Ok(f64::from(commits) / started.elapsed().as_secs_f64())
}
