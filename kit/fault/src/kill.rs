//! The death of this process at a point.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Point;

static ARMED: AtomicBool = AtomicBool::new(false);
static KILL: Mutex<Option<Kill>> = Mutex::new(None);

/// When this process kills itself, as `kill -9` does.
#[derive(Clone, Debug)]
pub struct Kill {
    /// Where.
    pub point: Point,
    /// The details that count; any when empty.
    pub among: Vec<String>,
    /// At which hit; the first is 1.
    pub hit: u32,
    /// How long after it.
    pub after: Duration,
}

/// Counts the hits from now on; takes the place of what was armed before.
pub fn arm(kill: Kill) {
    *KILL.lock().unwrap_or_else(PoisonError::into_inner) = Some(kill);
    ARMED.store(true, Ordering::Release);
}

/// Tells that a point is reached.
pub fn hit(point: Point, detail: &str) {
    if !ARMED.load(Ordering::Acquire) {
        return;
    }
    let mut armed = KILL.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(next) = armed.as_mut().filter(|kill| kill.counts(point, detail)) else { return };
    next.hit = next.hit.saturating_sub(1);
    if next.hit > 0 {
        return;
    }
    tracing::warn!(point = point.name(), detail, "this process kills itself");
    let after = next.after;
    *armed = None;
    if after.is_zero() {
        die();
    } else {
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            die();
        });
    }
}

impl Kill {
    fn counts(&self, point: Point, detail: &str) -> bool {
        self.point == point && (self.among.is_empty() || self.among.iter().any(|wanted| wanted == detail))
    }
}

/// Nothing of this process runs on.
fn die() -> ! {
    // Fails for nobody who kills himself.
    let _ = kill(Pid::this(), Signal::SIGKILL);
    loop {
        std::thread::park();
    }
}
