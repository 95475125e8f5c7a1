//! Turns: what transactions of one database do one after the other.

use sea_orm::sea_query::{Func, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend};

/// The lock that is a turn.
const TURN: i64 = 1;

/// Makes `select` wait until no other transaction has a turn, and keep its own until its transaction ends. On SQLite one
/// transaction at a time writes, and nothing needs to wait.
///
/// A reader's transaction handles many events, so it locks rows for one after those for another. However each event's rows are
/// sorted, two such transactions could wait for each other, which PostgreSQL notices only after a second. With one transaction at
/// a time nobody who holds rows waits. As part of another statement the turn costs no round trip of its own.
pub fn in_turn<'a>(db: &impl ConnectionTrait, select: &'a mut SelectStatement) -> &'a mut SelectStatement {
    match db.get_database_backend() {
        DbBackend::Postgres => {
            let turn = Query::select().expr(Func::cust("pg_advisory_xact_lock").arg(TURN)).take();
            select.from_subquery(turn, "turn")
        }
        _ => select,
    }
}
