//! How far a reader has come, written with the effects of what it has read.

use sea_orm::{ConnectionTrait, Value};
use tradewind_domain::Error;
use tradewind_sql::{db, micros, signed, statement};

use super::Tx;
use crate::store::{CURSORS, Cursor};

impl Tx {
    /// Moves a cursor forward; `false` when it is not at `from`: somebody else was here, roll back.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn advance_cursor(
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
        if moved == 1 {
            self.wakes(&CURSORS);
        }
        Ok(moved == 1)
    }
}
