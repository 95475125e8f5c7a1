//! Leases on PostgreSQL: rows that say for how long a process counts on something, by the database's own clock, because hosts'
//! clocks differ. A holder that was too slow is fenced off by the epoch. A database file has one process, which needs none.

use std::time::Duration;

use sea_orm::Value;
use tradewind_domain::Error;
use tradewind_sql::{db, signed, statement, unsigned};

use crate::Store;

/// How long a process that is no more is believed to be there.
pub const TTL: Duration = Duration::from_millis(1400);
/// How often a lease is renewed, or asked for. With [`TTL`] it makes for a hand-over within two seconds.
pub const BEAT: Duration = Duration::from_millis(400);

/// The database's present time in microseconds.
pub const NOW: &str = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT";

/// A duration as `expires` counts it.
#[must_use]
pub fn lasting(ttl: Duration) -> Value {
    i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX).into()
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
