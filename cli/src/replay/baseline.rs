//! What this machine's disk can do, measured in the same run: single-insert commits a second.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};

const MEASURED_FOR: Duration = Duration::from_secs(2);

/// Commits of one inserted row each, one after the other, in SQLite with WAL and `synchronous=FULL`:
/// what a service's own database does at least once for every change. Returns commits a second.
///
/// # Errors
/// When the database cannot be written.
pub(crate) async fn commits_per_second(dir: &Path) -> Result<f64> {
    std::fs::create_dir_all(dir)?;
    let path = dir.join("baseline.db");
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
    options.max_connections(1).sqlx_logging(false);
    let database = Database::connect(options).await?;
    let measured = measure(&database).await;
    database.close().await?;
    for suffix in ["", "-wal", "-shm"] {
        // The last two vanish by themselves when the database is closed in order.
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    measured
}

async fn measure(database: &DatabaseConnection) -> Result<f64> {
    database.execute_unprepared("PRAGMA journal_mode=WAL").await?;
    database.execute_unprepared("PRAGMA synchronous=FULL").await?;
    database.execute_unprepared("CREATE TABLE row (id INTEGER PRIMARY KEY, text TEXT NOT NULL)").await?;
    let started = Instant::now();
    let mut commits = 0_u32;
    while started.elapsed() < MEASURED_FOR {
        database
            .execute_unprepared("INSERT INTO row (text) VALUES ('what one order line might hold, more or less')")
            .await?;
        commits += 1;
    }
    Ok(f64::from(commits) / started.elapsed().as_secs_f64())
}
