//! Where a statement runs: in place what is known to be quick, on the thread that asks; anything else beside the runtime's other
//! tasks, where it may take its time and wait for another process's lock.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use super::error::is_locked;

/// What takes longer is not quick: other tasks would wait for it.
const QUICK: Duration = Duration::from_millis(1);
/// What reads or writes a whole file: it is as long as that has become.
const LONG: [&str; 3] = ["PRAGMA quick_check", "PRAGMA integrity_check", "VACUUM"];
/// Statements whose quickness is remembered.
const KNOWN: usize = 1_024;
/// How long another process's lock is waited for.
const BUSY: Duration = Duration::from_secs(5);
/// How long at a time.
const TURN: Duration = Duration::from_millis(5);

thread_local! {
    /// Whether what runs on this thread may wait.
    static PATIENT: Cell<bool> = const { Cell::new(false) };
}

/// Whether to try for another process's lock again, after `times`: SQLite asks.
pub(super) fn waits(times: i32) -> bool {
    let patient = PATIENT.get() && TURN.saturating_mul(times.unsigned_abs()) < BUSY;
    if patient {
        #[expect(clippy::disallowed_methods, reason = "the thread is not a runtime's where a statement may wait")]
        sleep(TURN);
    }
    patient
}

#[cfg(test)]
pub(super) fn is_patient() -> bool {
    PATIENT.get()
}

/// Which statements were quick when they ran last.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashSet<String>>);

impl Places {
    /// Runs the statement `text` by `work`, which changes nothing where it fails for a lock. It may be run twice then.
    pub(super) fn run<T>(&self, text: &str, mut work: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        if !self.lock().contains(text) {
            let began = Instant::now();
            let done = beside(work);
            if began.elapsed() < QUICK && !LONG.iter().any(|long| text.starts_with(long)) {
                self.remember(text);
            }
            return done;
        }
        let began = Instant::now();
        let done = work();
        if began.elapsed() >= QUICK {
            self.lock().remove(text);
        }
        match done {
            Err(error) if is_locked(&error) => beside(work),
            done => done,
        }
    }

    fn remember(&self, text: &str) {
        let mut quick = self.lock();
        if quick.len() >= KNOWN
            && let Some(one) = quick.iter().next().cloned()
        {
            quick.remove(&one);
        }
        quick.insert(text.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends when it is dropped, whatever becomes of the work.
struct Patience;

impl Drop for Patience {
    fn drop(&mut self) {
        PATIENT.set(false);
    }
}

/// Runs `work` beside the runtime's other tasks, where there is a thread for it.
pub(super) fn beside<T>(work: impl FnOnce() -> T) -> T {
    let patiently = || {
        PATIENT.set(true);
        let _impatient_again = Patience;
        work()
    };
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(patiently),
        _ => patiently(),
    }
}
