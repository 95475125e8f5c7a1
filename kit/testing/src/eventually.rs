//! Waiting for a condition with a deadline: the only way a test may wait.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What a probe of [`eventually`] may return: `bool`, `Option` or `Result`.
pub trait Answer {
    /// What is gained once the condition holds.
    type Value;

    /// Returns the value once the condition holds.
    ///
    /// # Errors
    /// Why it does not hold yet; empty where there is nothing to say.
    fn answer(self) -> Result<Self::Value, String>;
}

impl Answer for bool {
    type Value = ();

    fn answer(self) -> Result<(), String> {
        if self { Ok(()) } else { Err(String::new()) }
    }
}

impl<T> Answer for Option<T> {
    type Value = T;

    fn answer(self) -> Result<T, String> {
        self.ok_or_else(String::new)
    }
}

impl<T, E: Debug> Answer for Result<T, E> {
    type Value = T;

    fn answer(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

/// Probes again and again until the answer is `true`, `Some` or `Ok`, and returns what it holds.
///
/// ```ignore
/// let order = eventually(Duration::from_secs(10), "the order is confirmed", async || {
///     client.get(id).await.filter(|order| order.confirmed)
/// })
/// .await;
/// ```
///
/// # Panics
/// When the condition does not hold `within` the given time, or a probe has not returned by then;
/// the message says what was awaited and the last error seen.
pub async fn eventually<R: Answer>(within: Duration, what: &str, mut probe: impl AsyncFnMut() -> R) -> R::Value {
    let deadline = Instant::now() + within;
    let mut pause = FIRST_PAUSE;
    let mut last = String::new();
    loop {
        match timeout_at(deadline, probe()).await.map(Answer::answer) {
            Ok(Ok(value)) => return value,
            Ok(Err(reason)) => last = reason,
            Err(_) => {}
        }
        let seen = if last.is_empty() { String::new() } else { format!("; last seen: {last}") };
        assert!(Instant::now() < deadline, "waited {within:?} in vain for: {what}{seen}");
        sleep_until(deadline.min(Instant::now() + pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
