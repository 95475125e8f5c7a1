//! Idempotent requests: a repeated one gets the stored response, in the business transaction.

use prost::Message;
use sea_orm::{ConnectionTrait, Value};
use sha2::{Digest, Sha256};
use tradewind_domain::Error;
use tradewind_sql::{db, statement};

use super::Tx;

/// Names a request that may be repeated, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// Whose request it is: two principals never share one.
    pub principal: String,
    /// The full method path.
    pub method: String,
    /// The caller's name for it.
    pub request_id: String,
    /// SHA-256 of the encoded request.
    pub hash: [u8; 32],
    /// SHA-256 of what it asks, encoded: a repetition may differ in the rest.
    pub asked: [u8; 32],
}

const LONGEST: usize = 64;

impl RequestKey {
    /// The key of `request`; `None` when it has no id, and so cannot be repeated. `asked` is what of it makes it the request that it
    /// is, without what only says when it can be answered.
    ///
    /// # Errors
    /// `Invalid` with reason `REQUEST_ID_INVALID` when the id is longer than 64 characters or not printable ASCII.
    pub fn new(
        principal: &str,
        method: &'static str,
        request_id: &str,
        request: &impl Message,
        asked: &impl Message,
    ) -> Result<Option<Self>, Error> {
        if request_id.is_empty() {
            return Ok(None);
        }
        if request_id.len() > LONGEST || !request_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            let description = "must be at most 64 printable ASCII characters without spaces";
            return Err(Error::invalid("request_id", "REQUEST_ID_INVALID", description));
        }
        Ok(Some(Self {
            principal: principal.to_owned(),
            method: method.to_owned(),
            request_id: request_id.to_owned(),
            hash: Sha256::digest(request.encode_to_vec()).into(),
            asked: Sha256::digest(asked.encode_to_vec()).into(),
        }))
    }
}

impl Tx {
    /// The response that was stored for this request; `None` when it is new.
    ///
    /// # Errors
    /// `Invalid` with reason `REQUEST_ID_REUSED` when the id was used for another request.
    pub async fn recall<R: Message + Default>(&mut self, request: &RequestKey) -> Result<Option<R>, Error> {
        let query =
            "SELECT hash, asked, response FROM request WHERE principal = $1 AND method = $2 AND request_id = $3";
        let values: [Value; 3] =
            [request.principal.as_str().into(), request.method.as_str().into(), request.request_id.as_str().into()];
        let row = self.conn().query_one_raw(statement(self.backend(), query, values)).await.map_err(db)?;
        let Some(row) = row else { return Ok(None) };
        let hash: Vec<u8> = row.try_get("", "hash").map_err(db)?;
        // A build before kept only the first.
        let asked: Option<Vec<u8>> = row.try_get("", "asked").map_err(db)?;
        if hash != request.hash && asked.is_none_or(|asked| asked != request.asked) {
            let description = "was used for another request before";
            return Err(Error::invalid("request_id", "REQUEST_ID_REUSED", description));
        }
        let response: Vec<u8> = row.try_get("", "response").map_err(db)?;
        R::decode(response.as_slice()).map(Some).map_err(Error::internal)
    }

    /// Stores the response with everything else in this transaction. When the same request was handled at the same time, the
    /// commit is a `Conflict` and its repetition recalls.
    pub fn remember<R: Message>(&mut self, request: &RequestKey, response: &R) {
        self.pending.requests.push((request.clone(), response.encode_to_vec()));
    }
}
