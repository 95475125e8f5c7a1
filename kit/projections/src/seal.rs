//! What rows keep about somebody.

use tradewind_domain::Error;
use tradewind_store::Tx;

/// Seals what an event says about somebody, under the key of what its log is partitioned after.
pub struct Seal<'a> {
    tx: &'a Tx,
    subject: &'a str,
}

impl<'a> Seal<'a> {
    pub(crate) fn new(tx: &'a Tx, subject: &'a str) -> Self {
        Self { tx, subject }
    }

    /// Seals `whole`, of which everybody may know what is `open`, for a column of a row; as it is where nothing is sealed here. Of
    /// somebody who is erased, `open` alone is kept. [`Store::open_sealed`](tradewind_store::Store::open_sealed) opens it.
    ///
    /// # Errors
    /// `Internal` where it is not for [`Projection::sealing`](crate::Projection::sealing).
    pub fn seal(&self, open: &[u8], whole: &[u8]) -> Result<Vec<u8>, Error> {
        self.tx.sealed(self.subject, open, whole)
    }
}
