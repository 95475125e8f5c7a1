//! Leases on PostgreSQL: rows that say for how long a process counts on something, by the database's own clock, because hosts'
//! clocks differ. A holder that was too slow is fenced off by the epoch. A database file has one process, which needs none.

use std::collections::BTreeSet;
use std::time::Duration;

use sea_orm::Value;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query, SelectStatement};
use tradewind_domain::Error;
use tradewind_sql::{db, signed, statement, unsigned};

use crate::Store;

/// How long a process that is no more is believed to be there.
pub const TTL: Duration = Duration::from_millis(1400);
/// How often a lease is renewed, or asked for. With [`TTL`] it makes for a hand-over within two seconds.
pub const BEAT: Duration = Duration::from_millis(400);

/// The database's present time in microseconds.
pub(crate) const NOW: &str = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT";

/// A duration as `expires` counts it.
pub(crate) fn lasting(ttl: Duration) -> Value {
    i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX).into()
}

/// A query for the holders of leases that have lapsed, of those whose names begin with `kind`.
#[must_use]
pub fn lapsed(kind: &str) -> SelectStatement {
    let mut holders = Query::select();
    holders.column("holder").from("lease").and_where(Expr::col("name").like(format!("{kind}%")));
    holders.and_where(Expr::col("expires").lte(Expr::cust(NOW))).take()
}

impl Store {
    /// Takes the lease, or renews it, for `ttl`; its epoch, or `None` while somebody else holds it, whose row is not touched.
    pub(crate) async fn acquire_lease(&self, name: &str, holder: &str, ttl: Duration) -> Result<Option<u64>, Error> {
        let acquire = format!(
            "INSERT INTO lease (name, holder, epoch, expires) SELECT $1, $2, 1, {NOW} + $3 WHERE NOT EXISTS \
             (SELECT 1 FROM lease WHERE name = $1 AND holder <> $2 AND expires > {NOW}) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires, \
             epoch = lease.epoch + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END \
             WHERE lease.holder = excluded.holder OR lease.expires <= {NOW} RETURNING epoch"
        );
        let values: [Value; 3] = [name.into(), holder.into(), lasting(ttl)];
        let rows = self.vital(statement(self.backend(), acquire, values)).await?;
        rows.first().map(|row| row.try_get("", "epoch").map(unsigned).map_err(db)).transpose()
    }

    /// Lets somebody else take the lease at once.
    pub(crate) async fn release_lease(&self, name: &str, holder: &str, epoch: u64) -> Result<(), Error> {
        let release = "UPDATE lease SET expires = 0 WHERE name = $1 AND holder = $2 AND epoch = $3";
        let values: [Value; 3] = [name.into(), holder.into(), signed(epoch).into()];
        self.vital(statement(self.backend(), release, values)).await.map(drop)
    }

    /// Takes the lease for `ttl` from whoever had it; its epoch, which is another one.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn seize_lease(&self, name: &str, holder: &str, ttl: Duration) -> Result<u64, Error> {
        let seize = format!(
            "INSERT INTO lease (name, holder, epoch, expires) VALUES ($1, $2, 1, {NOW} + $3) ON CONFLICT (name) DO \
             UPDATE SET holder = excluded.holder, expires = excluded.expires, epoch = lease.epoch + 1 RETURNING epoch"
        );
        let values: [Value; 3] = [name.into(), holder.into(), lasting(ttl)];
        let rows = self.vital(statement(self.backend(), seize, values)).await?;
        let row = rows.first().ok_or_else(|| Error::internal("no lease"))?;
        row.try_get("", "epoch").map(unsigned).map_err(db)
    }

    /// Renews a lease for `ttl` that is still of that epoch, and reads in the same statement who holds the live ones of those whose
    /// names begin with `kind`: the holder among them, if it was renewed.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn renew_lease(
        &self,
        kind: &'static str,
        name: &str,
        epoch: u64,
        ttl: Duration,
    ) -> Result<BTreeSet<String>, Error> {
        let renew = format!(
            "WITH renewed AS (UPDATE lease SET expires = {NOW} + $3 WHERE name = $1 AND epoch = $2 RETURNING holder) \
             SELECT holder FROM renewed UNION ALL \
             SELECT holder FROM lease WHERE name LIKE '{kind}%' AND name <> $1 AND expires > {NOW}"
        );
        let values: [Value; 3] = [name.into(), signed(epoch).into(), lasting(ttl)];
        let rows = self.vital(statement(self.backend(), renew, values)).await?;
        rows.iter().map(|row| row.try_get("", "holder").map_err(db)).collect()
    }

    /// Gives up a lease of that epoch, and its row.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn delete_lease(&self, name: &str, epoch: u64) -> Result<(), Error> {
        let delete = "DELETE FROM lease WHERE name = $1 AND epoch = $2";
        let values: [Value; 2] = [name.into(), signed(epoch).into()];
        self.vital(statement(self.backend(), delete, values)).await.map(drop)
    }

    /// Deletes leases that lapsed `ago` or longer, of those whose names begin with `kind`.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn forget_leases(&self, kind: &'static str, ago: Duration) -> Result<(), Error> {
        let forget = format!("DELETE FROM lease WHERE name LIKE '{kind}%' AND expires < {NOW} - $1");
        self.vital(statement(self.backend(), forget, [lasting(ago)])).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_over_takes_less_than_two_seconds_and_a_few_late_beats_are_forgiven() {
        assert!(TTL + BEAT <= Duration::from_millis(1800));
        assert!(TTL >= 3 * BEAT);
    }
}
