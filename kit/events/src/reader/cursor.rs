//! The reader's cursor in the database: moving it, and noticing that somebody else has.

use tokio::time::Instant;
use tradewind_domain::Error;
use tradewind_store::{Cursor, OVERTAKEN, Tx};

use super::Reader;

impl Reader {
    /// Moves the cursor at once; `false` when somebody else has.
    pub(super) async fn advance(&self, tx: &mut Tx, to: Cursor) -> Result<bool, Error> {
        tx.advance_cursor(self.consumer(), &self.context, self.partition, self.progress.saved(), to).await
    }

    /// The same with the commit; `false` when that would not be forward.
    pub(super) fn move_with(&self, tx: &mut Tx, to: Cursor) -> bool {
        tx.move_cursor(self.consumer(), &self.context, self.partition, self.progress.saved(), to)
    }

    /// Whether the cursor is elsewhere than this reader has left it, as far as can be found out.
    pub(super) async fn is_overtaken(&self) -> bool {
        let cursor = self.store.cursor(self.consumer(), &self.context, self.partition).await;
        let place = |cursor: Cursor| (cursor.position, cursor.incarnation);
        cursor.is_ok_and(|cursor| place(cursor.unwrap_or_default()) != place(self.progress.saved()))
    }

    /// Saves a cursor that only passed over undeclared events.
    pub(super) async fn save(&mut self) {
        let to = self.progress.here();
        let saved = async {
            let mut tx = self.store.begin().await?;
            if !self.move_with(&mut tx, to) {
                return Ok(false);
            }
            match tx.commit().await {
                Err(error) if error.reason == OVERTAKEN => Ok(false),
                committed => committed.map(|_| true),
            }
        };
        match saved.await {
            Ok(true) => {
                self.reached(to);
                self.moves().await;
            }
            Ok(false) => {
                if self.load().await.is_err() {
                    tracing::debug!("stopped while reading the cursor again");
                }
            }
            Err(error) => {
                tracing::warn!(consumer = self.consumer(), source = self.context, %error, "a cursor was not saved");
                self.fails(&error).await;
                self.progress.not_saved(Instant::now());
            }
        }
    }
}
