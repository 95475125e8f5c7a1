//! What a session of PostgreSQL relies on, and which server it is on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sea_orm::sqlx::{Error as SqlxError, PgConnection, Row, query};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tradewind_domain::{Error, ErrorKind};

use crate::Away;
use crate::error::db;
use crate::statement::statement;

/// What a server, a database or a role may be set to do otherwise: statements are written for READ COMMITTED. The driver itself
/// asks for UTF-8.
pub(super) const RELIED_ON: [(&str, &str); 2] =
    [("default_transaction_isolation", "read committed"), ("standard_conforming_strings", "on")];

/// What is answered for has to be on disk, and at the standbys that are waited for, unless the URL says otherwise. Tables have
/// no schema in their names: every session uses the one that the first one found.
const SETTLE: &str = "SELECT set_config('synchronous_commit', 'on', false) FROM pg_settings \
     WHERE name = 'synchronous_commit' AND setting IN ('off', 'local') AND source <> 'client'";
const SCHEMA: &str =
    "SELECT set_config('search_path', COALESCE($1, quote_ident(current_schema()), ''), false) AS schema";

/// Which history of which server: it was made, promoted or started anew where one of these differs.
const IDENTITY: &str = "SELECT s.system_identifier::TEXT || '/' || c.timeline_id::TEXT || '/' || \
     EXTRACT(EPOCH FROM pg_postmaster_start_time())::TEXT AS identity \
     FROM pg_control_system() s, pg_control_checkpoint() c";
/// The same where an administrator keeps ordinary roles from the first two.
const STARTED: &str = "SELECT EXTRACT(EPOCH FROM pg_postmaster_start_time())::TEXT AS identity";

/// What is known of the server that a database is on.
pub(super) struct Server {
    known: Mutex<Known>,
    away: Away,
}

#[derive(Default)]
struct Known {
    /// The server of the last new connection.
    identity: Option<String>,
    /// The schema that holds the tables.
    schema: Option<String>,
}

impl Server {
    pub(super) fn new(away: Away) -> Self {
        Self { known: Mutex::default(), away }
    }

    /// Settles a new connection and takes note of the server on its other end, before anybody uses it.
    pub(super) async fn greet(&self, connection: &mut PgConnection) -> Result<(), SqlxError> {
        query(SETTLE).fetch_optional(&mut *connection).await?;
        let schema = self.known().schema.clone();
        let schema = query(SCHEMA).bind(schema).fetch_one(&mut *connection).await?;
        self.keep_schema(schema.try_get("schema")?);
        let identity = match query(IDENTITY).fetch_one(&mut *connection).await {
            Err(SqlxError::Database(_)) => query(STARTED).fetch_one(&mut *connection).await?,
            found => found?,
        };
        self.answers(identity.try_get("identity")?);
        Ok(())
    }

    /// Takes note of who answers on a new connection.
    fn answers(&self, identity: String) {
        let before = self.known().identity.replace(identity.clone());
        if before.is_some_and(|before| before != identity) {
            (self.away)();
        }
    }

    /// Takes note of the search path of a session; none is no schema to keep to.
    fn keep_schema(&self, schema: String) {
        if !schema.is_empty() {
            self.known().schema.get_or_insert(schema);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses a database in which not every text can be kept, one whose sessions are not what they ask to be, and one that cannot
/// be written, which may pass.
pub(super) async fn check(connection: &DatabaseConnection) -> Result<(), Error> {
    let facts = "SELECT current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby, \
         current_setting('transaction_read_only') AS read_only, COALESCE(current_schema(), '') AS schema, \
         current_setting('default_transaction_isolation') AS isolation";
    let facts = statement(connection.get_database_backend(), facts, []);
    let row = connection.query_one_raw(facts).await.map_err(db)?.ok_or_else(|| Error::internal("no answer"))?;
    let text = |name: &str| row.try_get::<String>("", name).map_err(db);
    let rejected = |reason, text: String| Err(Error::new(ErrorKind::Rejected, reason, text));
    let (encoding, isolation) = (text("encoding")?, text("isolation")?);
    if encoding != "UTF8" {
        let text = format!("the database's encoding is {encoding}, which cannot hold every text: it has to be UTF8");
        return rejected("DATABASE_ENCODING", text);
    }
    if isolation != "read committed" {
        let text = format!(
            "transactions are {isolation} although read committed was asked for: a pooler drops what a session asks for"
        );
        return rejected("DATABASE_POOLED", text);
    }
    if row.try_get::<bool>("", "standby").map_err(db)? {
        let text = "the server is a standby, which cannot be written until it is promoted";
        return Err(Error::unavailable("DATABASE_READ_ONLY", text));
    }
    if text("read_only")? == "on" {
        let text = "the database is read-only: default_transaction_read_only is on for it, its role or its server";
        return Err(Error::unavailable("DATABASE_READ_ONLY", text));
    }
    if text("schema")?.is_empty() {
        let text = "no schema of the role's search_path is there: make one, or set the role's search_path";
        return rejected("DATABASE_SCHEMA", text.to_owned());
    }
    Ok(())
}

/// What a connection that could not be made means.
pub(super) fn refused(error: sea_orm::DbErr) -> Error {
    let text = error.to_string();
    if text.contains("unsupported startup parameter") {
        let text =
            format!("a pooler is in the way, which refuses what a session asks for; connect to the server: {text}");
        return Error::new(ErrorKind::Rejected, "DATABASE_POOLED", text);
    }
    db(error)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn another_server_is_as_if_the_database_had_been_away() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let server = Server::new(Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        }));
        for (identity, times) in [("one", 0), ("one", 0), ("two", 1), ("two", 1), ("one", 2)] {
            server.answers(identity.to_owned());
            assert_eq!(count.load(Ordering::SeqCst), times, "{identity}");
        }
    }
}
