//! Leases: which process does what only one may do. A holder that was too slow is fenced off by the epoch.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Value};
use tradewind_domain::Error;

use crate::error::db;
use crate::sql::{signed, statement, unsigned};
use crate::times::micros;
use crate::{Store, Tx};

impl Store {
    /// Takes the lease, or renews it, for `ttl`; its epoch, or `None` while somebody else holds it.
    pub(crate) async fn acquire_lease(&self, name: &str, holder: &str, ttl: Duration) -> Result<Option<u64>, Error> {
        let acquire = "INSERT INTO lease (name, holder, epoch, expires) VALUES ($1, $2, 1, $3) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires, \
             epoch = lease.epoch + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END \
             WHERE lease.holder = excluded.holder OR lease.expires <= $4 RETURNING epoch";
        let tx = self.begin().await?;
        let now = tx.now();
        let values: [Value; 4] = [name.into(), holder.into(), micros(now + ttl).into(), micros(now).into()];
        let row = tx.conn().query_one_raw(statement(self.backend(), acquire, values)).await.map_err(db)?;
        let epoch = row.map(|row| row.try_get("", "epoch").map(unsigned).map_err(db)).transpose()?;
        tx.commit().await?;
        Ok(epoch)
    }

    /// Lets somebody else take the lease at once.
    pub(crate) async fn release_lease(&self, name: &str, holder: &str, epoch: u64) -> Result<(), Error> {
        let tx = self.begin().await?;
        let release = "UPDATE lease SET expires = 0 WHERE name = $1 AND holder = $2 AND epoch = $3";
        let values: [Value; 3] = [name.into(), holder.into(), signed(epoch).into()];
        tx.conn().execute_raw(statement(self.backend(), release, values)).await.map_err(db)?;
        tx.commit().await?;
        Ok(())
    }
}

impl Tx {
    /// Renews the lease within this transaction, which keeps everybody else from taking it until the commit. `false`:
    /// somebody else has taken it already.
    pub(crate) async fn hold_lease(
        &mut self,
        name: &str,
        holder: &str,
        epoch: u64,
        ttl: Duration,
    ) -> Result<bool, Error> {
        let hold = "UPDATE lease SET expires = $1 WHERE name = $2 AND holder = $3 AND epoch = $4";
        let values: [Value; 4] = [micros(self.now() + ttl).into(), name.into(), holder.into(), signed(epoch).into()];
        let done = self.conn().execute_raw(statement(self.backend(), hold, values)).await.map_err(db)?;
        Ok(done.rows_affected() == 1)
    }
}
