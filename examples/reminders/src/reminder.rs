//! A reminder, as far as its events tell.

use contracts::library::reminders::v1::{ReminderDropped, ReminderSet};
use tradewind_domain::{Aggregate, DomainError, ErrorKind};

tradewind_domain::events! {
    /// What can happen to a reminder.
    pub(crate) enum ReminderEvent { Set(ReminderSet), Dropped(ReminderDropped) }
}

/// What can be asked of a reminder.
pub(crate) enum Command {
    /// Awaits the book.
    Set { loan_id: String, title: String },
    /// Awaits it no longer.
    Drop,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("no book of this loan is awaited")]
pub(crate) struct NotFound;

impl DomainError for NotFound {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotFound
    }

    fn reason(&self) -> &'static str {
        "REMINDER_NOT_FOUND"
    }
}

/// A reminder; `Default` is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reminder {
    set: Option<ReminderSet>,
}

impl Reminder {
    /// The title of the book that is awaited.
    pub(crate) fn title(&self) -> Result<String, NotFound> {
        self.set.as_ref().map(|set| set.title.clone()).ok_or(NotFound)
    }
}

impl Aggregate for Reminder {
    const NAME: &'static str = "reminder";
    type Command = Command;
    type Event = ReminderEvent;
    type Error = NotFound;

    fn decide(&self, command: Command) -> Result<Vec<ReminderEvent>, NotFound> {
        Ok(match (command, &self.set) {
            (Command::Set { loan_id, title }, None) => vec![ReminderSet { loan_id, title }.into()],
            (Command::Drop, Some(set)) => vec![ReminderDropped { loan_id: set.loan_id.clone() }.into()],
            (Command::Set { .. }, Some(_)) | (Command::Drop, None) => Vec::new(),
        })
    }

    fn evolve(&mut self, event: &ReminderEvent) {
        self.set = match event {
            ReminderEvent::Set(set) => Some(set.clone()),
            ReminderEvent::Dropped(_) => None,
        };
    }
}
