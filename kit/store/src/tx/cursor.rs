//! How far a reader has come, written with the effects of what it has read.
//!
//! A cursor that moves only from where the reader left it makes the transaction the only one over what it has read.

use sea_orm::{ConnectionTrait, Value};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{Script, db, micros, signed, statement};

use super::Tx;
use crate::store::{CURSORS, Cursor};

/// A cursor that moves with the commit.
pub(super) struct Move {
    key: [Value; 3],
    from: Cursor,
    to: Cursor,
}

impl Move {
    /// Adds the statement, which fails with all others where the cursor is not at `from`: the transaction is then somebody else's.
    pub(super) fn write(self, script: &mut Script, now: OffsetDateTime) {
        let Self { key, from, to } = self;
        let place = |cursor: Cursor| [signed(cursor.position).into(), cursor.incarnation.to_string().into()];
        let place_from: [Value; 2] = place(from);
        let new = place(to).into_iter().chain([micros(now).into(), to.reached().into()]);
        if from.position == 0 {
            script
                .exactly(
                    1,
                    "INSERT INTO cursor (consumer, source, partition, position, incarnation, updated, reached) VALUES ",
                )
                .row(key.into_iter().chain(new))
                .text(
                    " ON CONFLICT (consumer, source, partition) DO UPDATE SET position = excluded.position, \
                     incarnation = excluded.incarnation, updated = excluded.updated, reached = excluded.reached \
                     WHERE (cursor.position, cursor.incarnation) = ",
                )
                .row(place_from);
        } else {
            script
                .exactly(1, "UPDATE cursor SET (position, incarnation, updated, reached) = ")
                .row(new)
                .text(" WHERE (consumer, source, partition, position, incarnation) = ")
                .row(key.into_iter().chain(place_from));
        }
    }
}

impl Tx {
    /// Moves a cursor forward with the commit; `false` when that is not forward. Where it is not at `from` by then, somebody else was
    /// here: the commit is a `Conflict` with reason [`OVERTAKEN`](crate::OVERTAKEN).
    pub fn move_cursor(&mut self, consumer: &str, source: &str, partition: u16, from: Cursor, to: Cursor) -> bool {
        self.wakes(&CURSORS);
        let key = [consumer.into(), source.into(), i64::from(partition).into()];
        self.pending.cursor = Some(Move { key, from, to });
        from.position < to.position
    }

    /// Moves a cursor forward at once; `false` when it is not at `from`: somebody else was here, roll back.
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

    /// Locks a cursor where it is, which keeps its reader waiting until this transaction ends; `false` when there is none.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn lock_cursor(&self, consumer: &str, source: &str, partition: u16) -> Result<bool, Error> {
        let lock = "UPDATE cursor SET updated = updated WHERE consumer = $1 AND source = $2 AND partition = $3";
        let values: [Value; 3] = [consumer.into(), source.into(), i64::from(partition).into()];
        let locked = self.conn().execute_raw(statement(self.backend(), lock, values)).await.map_err(db)?;
        Ok(locked.rows_affected() == 1)
    }

    /// Forgets how far a consumer has come, wherever: it begins again.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn forget_cursors(&self, consumer: &str) -> Result<(), Error> {
        let forget = statement(self.backend(), "DELETE FROM cursor WHERE consumer = $1", [consumer.into()]);
        self.conn().execute_raw(forget).await.map(drop).map_err(db)
    }
}
