//! What this context asks of the card provider's statement.

use std::ops::Range;

use time::OffsetDateTime;

use super::NoAnswer;
use crate::domain::Said;

/// A party that accounts for the money it has moved.
pub trait Statement: Send + Sync + 'static {
    /// The page of what it moved within this time that follows the line `after`; the first without it.
    fn page(
        &self,
        time: &Range<OffsetDateTime>,
        after: Option<&str>,
    ) -> impl Future<Output = Result<StatementPage, NoAnswer>> + Send;
}

/// A page of the statement.
#[derive(Clone, Debug, PartialEq)]
pub struct StatementPage {
    /// What moved, each within the time that was asked for.
    pub lines: Vec<Said>,
    /// The line after which the next page begins, where there is one.
    pub next: Option<String>,
}
