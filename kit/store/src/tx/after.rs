//! What is told of a transaction once it is committed, and not where it was not: counts, and lines of the log.

use super::Tx;

/// Tells of it.
pub(super) type Tell = Box<dyn FnOnce() + Send + Sync>;

impl Tx {
    /// Tells of this transaction once it is committed. What is run again after it failed tells once.
    pub fn after(&mut self, tell: impl FnOnce() + Send + Sync + 'static) {
        self.after.push(Box::new(tell));
    }
}
