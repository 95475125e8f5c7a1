//! When the owner of a log is asked for what follows the cursor.

use std::time::Duration;

use tokio::time::Instant;
use tradewind_sql::Backoff;

/// How often the own log is read although nobody in this process has appended.
const OWN_POLL: Duration = Duration::from_secs(1);
/// How often the owner is asked while there are no messages to be had.
const POLL: Duration = Duration::from_millis(500);
/// How often it is asked although everything seems well.
const NET: Duration = Duration::from_secs(15);
/// News that the source is ahead lead to a question only after so long without progress.
const GRACE: Duration = Duration::from_millis(200);
const LEAST_WAIT: Duration = Duration::from_millis(20);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));

/// By which way events come without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reader) enum Way {
    /// It is the own log, and whoever appends in this process tells.
    Own,
    /// The broker delivers messages.
    Messages,
    /// None: the broker is away.
    Closed,
}

impl Way {
    /// How long the owner is not asked when nothing calls for it.
    const fn patience(self) -> Duration {
        match self {
            Self::Own => OWN_POLL,
            Self::Messages => NET,
            Self::Closed => POLL,
        }
    }
}

/// The next question.
pub(super) struct Asking {
    way: Way,
    at: Instant,
    /// How often it was in vain.
    failures: u32,
    /// The last page was full: the next follows at once.
    catching_up: bool,
}

impl Asking {
    /// At once.
    pub(super) fn new(way: Way, now: Instant) -> Self {
        Self { way, at: now, failures: 0, catching_up: false }
    }

    /// When it is due.
    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// Whether it is due, where a gap is a reason not to wait.
    pub(super) fn is_due(&self, gap: bool, now: Instant) -> bool {
        self.at <= now || (gap && self.failures == 0)
    }

    /// At once, whatever was before.
    pub(super) fn now(&mut self, now: Instant) {
        self.at = now;
    }

    /// Events come by another way than before, and some may have been missed.
    pub(super) fn by(&mut self, way: Way, now: Instant) {
        self.way = way;
        self.within(if way == Way::Messages { Duration::ZERO } else { POLL }, now);
    }

    /// What was heard makes no sense: at once, unless it was in vain lately.
    pub(super) fn soon(&mut self, now: Instant) {
        self.within(Duration::ZERO, now);
    }

    /// The source is ahead, and what is there may be on its way.
    pub(super) fn ahead(&mut self, now: Instant) {
        self.within(GRACE, now);
    }

    fn within(&mut self, wait: Duration, now: Instant) {
        if self.failures == 0 {
            self.at = self.at.min(now + wait);
        }
    }

    /// A page came; whether it was `full`.
    pub(super) fn answered(&mut self, full: bool, now: Instant) {
        (self.failures, self.catching_up) = (0, full);
        self.at = now + self.way.patience();
    }

    /// None came; tells how often that was so before.
    pub(super) fn in_vain(&mut self, random: u64, now: Instant) -> u32 {
        let before = self.failures;
        self.at = now + BACKOFF.wait_for(before, random).max(LEAST_WAIT);
        self.failures = before.saturating_add(1);
        before
    }

    /// The cursor has moved; whether it is where the source is known to reach.
    pub(super) fn moved(&mut self, there: bool, now: Instant) {
        self.failures = 0;
        self.catching_up &= !there;
        let patience = self.way.patience();
        self.at = match (there, self.catching_up) {
            (true, _) => now + patience,
            (false, true) => now,
            (false, false) => now + GRACE.min(patience),
        };
    }
}
