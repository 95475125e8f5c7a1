//! What a session keeps between two pages: what is to be said, and what was shown that would be done.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::act::Act;
use crate::secret::secret;

/// The most notes that wait to be shown.
const MOST_NOTES: usize = 20;
/// The most pages of one session that are kept up to date at once.
const STREAMS: usize = 8;
/// How long what was shown may be begun.
const GOOD_FOR: Duration = Duration::from_secs(10 * 60);

pub(crate) struct Kept {
    notes: VecDeque<String>,
    /// Places of pages that are kept up to date.
    streams: Arc<Semaphore>,
    plan: Option<Plan>,
    /// Which plan was begun last, and where one sees what comes of it.
    begun: Option<(String, String)>,
}

/// What would be done, as it was shown.
pub(crate) struct Plan {
    id: String,
    until: Instant,
    pub(crate) title: String,
    pub(crate) acts: Vec<Act>,
    /// Where it was asked for.
    pub(crate) back: String,
}

impl Default for Kept {
    fn default() -> Self {
        let streams = Arc::new(Semaphore::new(STREAMS));
        Self { notes: VecDeque::new(), streams, plan: None, begun: None }
    }
}

impl Kept {
    /// A place for one more page that is kept up to date.
    pub(crate) fn stream(&self) -> Option<OwnedSemaphorePermit> {
        self.streams.clone().try_acquire_owned().ok()
    }

    /// Has the next page say so; where too much was to be said, what came first is not.
    pub(crate) fn note(&mut self, text: String) {
        while self.notes.len() >= MOST_NOTES {
            self.notes.pop_front();
        }
        self.notes.push_back(text);
    }

    /// What was to be said.
    pub(crate) fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes).into()
    }

    /// Keeps a plan, in place of the one before; its id.
    pub(crate) fn keep(&mut self, title: String, acts: Vec<Act>, back: String) -> String {
        let id = secret();
        self.plan = Some(Plan { id: id.clone(), until: Instant::now() + GOOD_FOR, title, acts, back });
        id
    }

    /// Forgets what was shown too long ago.
    pub(crate) fn lapse(&mut self, now: Instant) {
        self.plan.take_if(|plan| plan.until < now);
    }

    /// Hands out that plan, once.
    pub(crate) fn take(&mut self, id: &str) -> Option<Plan> {
        self.plan.take_if(|plan| plan.id == id)
    }

    /// Remembers that a plan was begun, and where one sees what comes of it.
    pub(crate) fn begin(&mut self, id: String, path: String) {
        self.begun = Some((id, path));
    }

    /// Where one sees what comes of that plan, if it was begun.
    pub(crate) fn begun(&self, id: &str) -> Option<String> {
        self.begun.as_ref().filter(|(begun, _)| begun == id).map(|(_, path)| path.clone())
    }
}
