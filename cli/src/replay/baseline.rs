//! What this machine's disk can do, measured in the same run: single-insert commits a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use sea_orm::{ActiveValue::Set, ConnectionTrait as _, EntityTrait as _, Schema};
use tradewind_sql::{Connections, sqlite_url};

use crate::local::{Layout, Postgres};

const MEASURED_FOR: Duration = Duration::from_secs(2);
/// The database it is measured in.
pub(super) const NAME: &str = "baseline";

/// What one order line might hold, more or less.
mod sold {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sold")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i64,
        pub(super) text: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Commits of one inserted row each, one after the other: what a service's own database does at least once for every change, over
/// a connection as a service has it. On PostgreSQL, whose database [`NAME`] is there, or in an SQLite file. Returns commits a second.
///
/// # Errors
/// When the database cannot be written.
pub(super) async fn commits_per_second(layout: &Layout, postgres: Option<&Postgres>) -> Result<f64> {
    if let Some(server) = postgres {
        return measure(&server.database(NAME)).await;
    }
    let folder = layout.state().join(NAME);
    let measured = measure(&sqlite_url(&folder.join("sold.db"))).await;
    // It was made for this.
    let _ = std::fs::remove_dir_all(folder);
    measured
}

async fn measure(url: &str) -> Result<f64> {
    let connections = Connections::open(url, NAME, Arc::new(|| {})).await?;
    let database = connections.transactions();
    let table = Schema::new(database.get_database_backend()).create_table_from_entity(sold::Entity);
    database.execute(&table).await?;
    let started = Instant::now();
    let mut commits = 0_u32;
    while started.elapsed() < MEASURED_FOR {
        let text = Set("what one order line might hold, more or less".to_owned());
        sold::Entity::insert(sold::ActiveModel { text, ..Default::default() }).exec_without_returning(database).await?;
        commits += 1;
    }
    Ok(f64::from(commits) / started.elapsed().as_secs_f64())
}
