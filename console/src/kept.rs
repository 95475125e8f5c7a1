//! What a session keeps between two pages: what is to be said, and what was shown that would be done.

use std::time::Duration;

use tokio::time::Instant;

use crate::act::Act;
use crate::door::secret;

/// The most notes that wait to be shown.
const MOST_NOTES: usize = 20;
/// How long what was shown may be begun.
const GOOD_FOR: Duration = Duration::from_secs(10 * 60);

#[derive(Default)]
pub(crate) struct Kept {
    notes: Vec<String>,
    plan: Option<Plan>,
    /// Which plan was begun last, and as which job.
    begun: Option<(String, u64)>,
}

/// What would be done, as it was shown.
pub(crate) struct Plan {
    id: String,
    until: Instant,
    pub(crate) title: String,
    pub(crate) acts: Vec<Act>,
}

impl Kept {
    /// Has the next page say so.
    pub(crate) fn note(&mut self, text: String) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(text);
        }
    }

    /// What was to be said.
    pub(crate) fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Keeps a plan, in place of the one before; its id.
    pub(crate) fn keep(&mut self, title: String, acts: Vec<Act>) -> String {
        let id = secret();
        self.plan = Some(Plan { id: id.clone(), until: Instant::now() + GOOD_FOR, title, acts });
        id
    }

    /// Hands out that plan, once, while it is good.
    pub(crate) fn take(&mut self, id: &str) -> Option<Plan> {
        let plan = self.plan.take_if(|plan| plan.id == id)?;
        Some(plan).filter(|plan| Instant::now() <= plan.until)
    }

    /// Remembers as which job a plan was begun.
    pub(crate) fn begin(&mut self, id: String, number: u64) {
        self.begun = Some((id, number));
    }

    /// As which job that plan was begun.
    pub(crate) fn begun(&self, id: &str) -> Option<u64> {
        self.begun.as_ref().filter(|(begun, _)| begun == id).map(|(_, number)| *number)
    }
}
