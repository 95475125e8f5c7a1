//! The secret in the link that `tradewind console` prints.

use crate::secret::secret;

/// What opens the door without a name, for whoever started the console: a secret of 244 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(pub(crate) String);

impl Ticket {
    /// Another one each time.
    #[must_use]
    pub fn new() -> Self {
        Self(secret())
    }

    /// The path that shows it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/console/enter?ticket={}", self.0)
    }
}

impl Default for Ticket {
    fn default() -> Self {
        Self::new()
    }
}
