//! What PostgreSQL would read for a statement. Plans are made when tables may be new and have no statistics, and are kept: one that
//! reads a table from end to end may look right then.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use tradewind_testing::{Database, block_on};

use crate::{Clock, Store, StoreOptions};

/// To which it costs nothing to ask other processes for help, as it seems to where a table is large.
const HELPED: &str = "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET parallel_setup_cost = 0'; \
     EXECUTE 'ALTER DATABASE ' || current_database() || ' SET min_parallel_index_scan_size = 0'; \
     EXECUTE 'ALTER DATABASE ' || current_database() || ' SET min_parallel_table_scan_size = 0'; \
     EXECUTE 'ALTER DATABASE ' || current_database() || ' SET parallel_tuple_cost = 0'; END $$";

/// The lines of the statements' plans that read a table, or an index, from end to end, or ask other processes for help, in a database
/// that holds nothing yet.
pub(crate) fn read_whole(statements: impl FnOnce(DbBackend) -> Vec<Statement>) -> Vec<String> {
    let database = Database::postgres();
    block_on(async {
        let (url, clock) = (database.url(), Clock::system());
        tradewind_sql::connect(&url).await.unwrap().execute_unprepared(HELPED).await.unwrap();
        let options = StoreOptions { url, context: "bank", migrations: Vec::new(), clock, partitions: None };
        let store = Store::open(options).await.unwrap();
        let mut whole = Vec::new();
        let statements = statements(store.backend());
        assert!(!statements.is_empty());
        for Statement { sql, values, db_backend } in statements {
            let explain = Statement { sql: format!("EXPLAIN {sql}"), values, db_backend };
            let plan = store.read(explain).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|row| row.try_get("", "QUERY PLAN").unwrap()).collect();
            assert!(!plan.is_empty());
            let pairs = plan.iter().zip(plan.iter().skip(1).map(String::as_str).chain([""]));
            let scans = pairs.filter(|(line, next)| is_of_table(line) && !next.trim().starts_with("Index Cond"));
            let helped = plan.iter().filter(|line| line.contains("Gather"));
            whole.extend(scans.map(|(line, _)| line).chain(helped).map(|line| line.trim().to_owned()));
        }
        whole
    })
}

/// A line of a plan that reads a table; other scans are of what the statement has already.
fn is_of_table(line: &str) -> bool {
    ["Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan"].iter().any(|scan| line.contains(scan))
}
