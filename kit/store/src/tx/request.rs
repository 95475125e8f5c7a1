//! Idempotent requests: a repeated one gets the stored response, in the business transaction.

use std::time::Duration;

use prost::Message;
use sea_orm::{ConnectionTrait, DbBackend, Value};
use tradewind_domain::{Error, ErrorKind, request::RequestKey};
use tradewind_sql::{db, micros, statement};

use super::Tx;
use crate::{Opened, Store};

/// What a method is called where requests are kept, in every build so far: a database is one context's, and of its methods no two
/// that take an id share a name.
pub(super) fn method_of(request: &RequestKey) -> &str {
    request.method.rsplit('/').next().unwrap_or_default()
}

impl Store {
    /// Deletes up to `limit` responses that were stored longer than `retention` ago, the oldest first; how many there were.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn forget_requests(&self, retention: Duration, limit: u64) -> Result<u64, Error> {
        let tx = self.begin().await?;
        let past = time::Duration::try_from(retention).ok().and_then(|retention| tx.now().checked_sub(retention));
        let Some(past) = past else { return Ok(0) };
        let skip_locked = if tx.backend() == DbBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
        let delete = format!(
            "DELETE FROM request WHERE (principal, method, request_id) IN (SELECT principal, method, request_id \
             FROM request WHERE time < $1 ORDER BY time LIMIT $2 {skip_locked})"
        );
        let values: [Value; 2] = [micros(past).into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
        let done = tx.conn().execute_raw(statement(tx.backend(), delete, values)).await.map_err(db)?;
        tx.commit().await?;
        Ok(done.rows_affected())
    }
}

impl Tx {
    /// Says of which request it is what this transaction records.
    pub(super) fn is_asked_by(&mut self, request: &RequestKey) {
        self.request_id.clone_from(&request.request_id);
    }

    /// The response that was stored for this request; `None` when it is new.
    ///
    /// # Errors
    /// `Invalid` with reason `REQUEST_ID_REUSED` when the id was used for another request; `Rejected` with reason `ANSWER_ERASED` when
    /// whom the answer is about was erased since.
    pub(crate) async fn recall<R: Message + Default>(&mut self, request: &RequestKey) -> Result<Option<R>, Error> {
        let query =
            "SELECT hash, asked, response FROM request WHERE principal = $1 AND method = $2 AND request_id = $3";
        let values: [Value; 3] =
            [request.principal.as_str().into(), method_of(request).into(), request.request_id.as_str().into()];
        let rows = self.read(statement(self.backend(), query, values)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let hash: Vec<u8> = row.try_get("", "hash").map_err(db)?;
        // A build before kept only the first.
        let asked: Option<Vec<u8>> = row.try_get("", "asked").map_err(db)?;
        if hash != request.hash && asked.is_none_or(|asked| asked != request.asked) {
            let description = "was used for another request before";
            return Err(Error::invalid("request_id", "REQUEST_ID_REUSED", description));
        }
        let response: Vec<u8> = row.try_get("", "response").map_err(db)?;
        match self.store.opened(Some(&self.transaction), vec![response]).await?.pop() {
            Some(Opened::Whole(response)) => R::decode(response.as_slice()).map(Some).map_err(Error::internal),
            _ => {
                let text = "it was answered, and whom that was about is erased since";
                Err(Error::new(ErrorKind::Rejected, "ANSWER_ERASED", text))
            }
        }
    }

    /// Stores the response with everything else in this transaction. When the same request was handled at the same time, the
    /// commit is a `Conflict` and its repetition recalls.
    pub(crate) fn remember<R: Message>(&mut self, request: &RequestKey, response: &R) {
        self.pending.requests.push((request.clone(), response.encode_to_vec()));
    }
}
