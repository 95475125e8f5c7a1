use prost::Message;
use sha2::{Digest, Sha256};

use crate::Error;

/// Names a request that may be repeated, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// Whose request it is: two principals never share one.
    pub principal: String,
    /// The full method path, `/package.Service/Method`.
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
        method: &str,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_printable_or_absent() {
        let new = |id: &str| RequestKey::new("ann", "/bank/OpenAccount", id, &1_u64, &());
        assert_eq!(new(""), Ok(None));
        assert!(matches!(new(&"x".repeat(64)), Ok(Some(_))));
        for id in ["x".repeat(65), "a b".to_owned(), "é".to_owned(), "a\n".to_owned()] {
            assert_eq!(new(&id).map_err(|error| error.reason), Err("REQUEST_ID_INVALID"), "{id:?}");
        }
    }
}
