//! What a reader of events writes with the effects of an event: how far it has come, and what it could not handle.

use sea_orm::{ConnectionTrait, Value};
use tradewind_domain::Error;

use super::Tx;
use crate::error::{brief, db};
use crate::sql::{signed, statement};
use crate::store::Cursor;
use crate::times::micros;
use crate::{Recorded, StreamName};

impl Tx {
    /// Moves a cursor forward; `false` when it is not at `from`: somebody else was here, roll back.
    pub(crate) async fn advance_cursor(
        &mut self,
        consumer: &str,
        source: &str,
        partition: u16,
        from: Cursor,
        to: Cursor,
    ) -> Result<bool, Error> {
        let values = |last: Option<Cursor>| {
            let mut values: Vec<Value> = vec![
                consumer.into(),
                source.into(),
                i64::from(partition).into(),
                signed(to.position).into(),
                to.incarnation.to_string().into(),
                micros(self.now()).into(),
                to.reached().into(),
            ];
            let last = last.map(|last| [signed(last.position).into(), last.incarnation.to_string().into()]);
            values.extend(last.into_iter().flatten());
            values
        };
        let update = "UPDATE cursor SET position = $4, incarnation = $5, updated = $6, reached = $7 \
             WHERE consumer = $1 AND source = $2 AND partition = $3 AND position = $8 AND incarnation = $9 \
             AND position < $4";
        let update = statement(self.backend(), update, values(Some(from)));
        let mut moved = self.conn().execute_raw(update).await.map_err(db)?.rows_affected();
        if moved == 0 && from.position == 0 {
            let insert = "INSERT INTO cursor (consumer, source, partition, position, incarnation, updated, reached) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (consumer, source, partition) DO NOTHING";
            let insert = statement(self.backend(), insert, values(None));
            moved = self.conn().execute_raw(insert).await.map_err(db)?.rows_affected();
        }
        self.told.cursors |= moved == 1;
        Ok(moved == 1)
    }

    /// Puts an event into quarantine for a consumer; again is the same as once.
    pub(crate) async fn park(
        &mut self,
        consumer: &str,
        source: &str,
        event: &Recorded,
        reason: &str,
        error: &str,
        attempts: u32,
    ) -> Result<(), Error> {
        let insert = "INSERT INTO parked (consumer, source, stream, position, partition, version, event_id, type, \
             payload, time, partition_key, correlation, causation, traceparent, reason, error, attempts, parked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
             ON CONFLICT (consumer, source, stream, position) DO NOTHING";
        let metadata = &event.metadata;
        let values: [Value; 18] = [
            consumer.into(),
            source.into(),
            event.stream.as_str().into(),
            signed(event.position).into(),
            i64::from(event.partition).into(),
            signed(event.version).into(),
            event.id.into(),
            event.type_name.as_str().into(),
            event.payload.clone().into(),
            micros(event.time).into(),
            metadata.partition_key.as_str().into(),
            metadata.correlation.as_str().into(),
            metadata.causation.as_str().into(),
            metadata.traceparent.as_str().into(),
            reason.into(),
            brief(error).into(),
            i64::from(attempts).into(),
            micros(self.now()).into(),
        ];
        self.conn().execute_raw(statement(self.backend(), insert, values)).await.map_err(db)?;
        self.told.quarantine = true;
        Ok(())
    }

    /// Tells whether events of a stream are in quarantine for a consumer, as this transaction sees it.
    pub(crate) async fn is_parked(&self, consumer: &str, source: &str, stream: &StreamName) -> Result<bool, Error> {
        let query = "SELECT 1 AS one FROM parked WHERE consumer = $1 AND source = $2 AND stream = $3 LIMIT 1";
        let values: [Value; 3] = [consumer.into(), source.into(), stream.as_str().into()];
        let row = self.conn().query_one_raw(statement(self.backend(), query, values)).await.map_err(db)?;
        Ok(row.is_some())
    }
}
