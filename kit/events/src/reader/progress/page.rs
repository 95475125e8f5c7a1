//! What the owner of a log answers, held against what was read of it.

use tokio::time::Instant;
use tradewind_domain::Error;
use tradewind_store::{LOG_FORKED, LogPage};

use super::Progress;
use crate::reader::inbox::Ahead;

/// Why reading must end: the log is not the one that was read. For programs, and for people.
pub(in crate::reader) type Changed = (&'static str, String);

impl Progress {
    /// Takes a page of the owner's log, which was asked for as [`Next::Ask`] says; tells why reading must end, if it must.
    pub(in crate::reader) fn answered(
        &mut self,
        page: LogPage,
        limit: u32,
        wanted: impl Fn(&str) -> bool,
        now: Instant,
    ) -> Result<Option<Changed>, Error> {
        if let Some(changed) = self.compare(&page) {
            return Ok(Some(changed));
        }
        self.head = self.head.max(page.head);
        // A page of large events is short although more follow.
        let short = page.events.last().is_some_and(|last| last.position < page.head);
        let full = short || page.events.len() >= usize::try_from(limit).map_err(Error::internal)?;
        let first = page.events.first().map(|event| event.position);
        if page.head > self.position && first != Some(self.position + 1) {
            return Err(Error::internal(format!("the owner's page begins at {first:?}, not after {}", self.position)));
        }
        let mut after = page.after;
        for event in page.events {
            let (position, id) = (event.position, event.id);
            let event = Some(event).filter(|event| wanted(&event.type_name));
            self.inbox.put(position, Ahead { id, after, event });
            after = Some(id);
        }
        self.asking.answered(full, now);
        Ok(None)
    }

    /// Holds the owner's log against what this reader has read of it. A log of another incarnation that has the same event at
    /// the cursor is the same up to there, and is read on.
    fn compare(&mut self, page: &LogPage) -> Option<Changed> {
        let known = *self.incarnation.get_or_insert(page.incarnation);
        let agrees = page.after.zip(self.last).map(|(theirs, ours)| theirs == ours);
        if known != page.incarnation && self.position > 0 && agrees != Some(true) {
            return Some(("LOG_REPLACED", format!("the log was {known} and is {}", page.incarnation)));
        }
        if page.head < self.position {
            return Some(("LOG_TOO_SHORT", format!("the log ends at {}, before the cursor", page.head)));
        }
        if agrees == Some(false) {
            let text = format!("the log has another event at {} than the one that was read", self.position);
            return Some((LOG_FORKED, text));
        }
        if known != page.incarnation {
            self.inbox.forget_ahead();
            self.incarnation = Some(page.incarnation);
        }
        None
    }
}
