//! Whether this service can do its work: a named check for each thing it depends on, asked again and again. Advice is shown with
//! them and takes no traffic away.
//!
//! Asking is separate from answering: probes read the last answer, so that many probes cost no more than one.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use serde::Serialize;
use tokio::{sync::watch, time};
use tokio_util::sync::CancellationToken;

/// Time between two rounds of checks.
const EVERY: Duration = Duration::from_millis(500);
/// Time to the next round after the first that failed; it doubles up to [`EVERY`]. What is only starting is there in no time.
const SOON: Duration = Duration::from_millis(5);
/// Time one check may take.
const WITHIN: Duration = Duration::from_secs(1);

type Ask = Arc<dyn Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Why a check failed: a word for whoever asks, and the rest for the log, which may name what nobody outside has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    reason: &'static str,
    detail: String,
}

impl Failure {
    pub(crate) fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl From<tradewind_domain::Error> for Failure {
    fn from(error: tradewind_domain::Error) -> Self {
        Self { reason: error.reason, detail: error.message }
    }
}

/// Of what a service asks itself.
impl From<String> for Failure {
    fn from(detail: String) -> Self {
        Self::new("CHECK_FAILED", detail)
    }
}

/// One thing the service depends on.
#[derive(Clone)]
pub(crate) struct Check {
    name: &'static str,
    ask: Ask,
    /// A failure is shown, and the service is ready all the same.
    advice: bool,
}

impl Check {
    pub(crate) fn new<F, E>(name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        Self { name, ask: Arc::new(move || ask().map(|answer| answer.map_err(Into::into)).boxed()), advice: false }
    }

    /// The same check as advice: calls can be served although it fails.
    pub(crate) fn advisory(self) -> Self {
        Self { advice: true, ..self }
    }

    async fn answer(&self) -> Answer {
        Answer::of(match time::timeout(WITHIN, (self.ask)()).await {
            Ok(answer) => answer.err(),
            Err(_) => Some(Failure::new("NO_ANSWER", format!("no answer within {WITHIN:?}"))),
        })
    }
}

/// The last answer of every check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// Every check but advice is fine and the service isn't stopping.
    pub(crate) ready: bool,
    /// The answers by name.
    pub(crate) checks: BTreeMap<&'static str, Answer>,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Answer {
    pub(crate) ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'static str>,
    /// For the log alone.
    #[serde(skip)]
    detail: String,
}

impl Answer {
    fn of(failure: Option<Failure>) -> Self {
        match failure {
            None => Self { ok: true, error: None, detail: String::new() },
            Some(Failure { reason, detail }) => Self { ok: false, error: Some(reason), detail },
        }
    }
}

impl Report {
    /// Returns the answer while the named thing is not there yet.
    pub(crate) fn waiting_for(name: &'static str, why: impl Into<Failure>) -> Self {
        Self { ready: false, checks: BTreeMap::from([(name, Answer::of(Some(why.into())))]) }
    }

    fn failing(&self) -> impl Iterator<Item = (&'static str, &Answer)> {
        self.checks.iter().filter(|(_, answer)| !answer.ok).map(|(name, answer)| (*name, answer))
    }

    fn names_failing(&self) -> String {
        self.failing().map(|(name, answer)| format!("{name}: {}", answer.detail)).collect::<Vec<_>>().join(", ")
    }

    /// Whether other things fail, or for another reason, than in `last`; a detail may change every time.
    fn fails_otherwise(&self, last: &Self) -> bool {
        let words = |report: &Self| report.failing().map(|(name, answer)| (name, answer.error)).collect::<Vec<_>>();
        words(self) != words(last)
    }
}

/// Asks every check until told to stop, then reports not ready for good.
pub(crate) async fn watch(checks: Vec<Check>, reports: watch::Sender<Report>, stop: CancellationToken) {
    let ask_on = async {
        let mut soon = SOON;
        loop {
            let answers = join_all(checks.iter().map(Check::answer)).await;
            let ready = checks.iter().zip(&answers).all(|(check, answer)| answer.ok || check.advice);
            let checks: BTreeMap<_, _> = checks.iter().map(|check| check.name).zip(answers).collect();
            publish(&reports, Report { ready, checks });
            time::sleep(if ready { EVERY } else { soon }).await;
            soon = if ready { SOON } else { EVERY.min(soon * 2) };
        }
    };
    let _: Option<Infallible> = stop.run_until_cancelled(ask_on).await;
    // Not worth a warning: it was asked to stop.
    reports.send_modify(|last| last.ready = false);
}

fn publish(reports: &watch::Sender<Report>, report: Report) {
    // Here is all of what readiness itself tells in a word.
    let (was, otherwise) = (reports.borrow().ready, report.fails_otherwise(&reports.borrow()));
    match (was, report.ready) {
        (false, true) => tracing::info!(failing = report.names_failing(), "ready"),
        (_, false) if was || otherwise => tracing::warn!(failing = report.names_failing(), "not ready"),
        (true, true) if otherwise && report.failing().next().is_some() => {
            tracing::warn!(failing = report.names_failing(), "ready, and something is amiss");
        }
        _ => {}
    }
    reports.send_if_modified(|last| {
        let changed = *last != report;
        *last = report;
        changed
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ready_turns_false_and_back_naming_what_failed_in_a_word() {
        let up = Arc::new(AtomicBool::new(true));
        let broker = Check::new("broker", {
            let up = Arc::clone(&up);
            move || {
                let up = up.load(Ordering::Relaxed);
                async move {
                    up.then_some(()).ok_or_else(|| Failure::new("AWAY", "tls://shop:secret@10.0.0.7 does not answer"))
                }
            }
        });
        let database = Check::new("database", || async { Ok::<_, Failure>(()) });
        let (reports, mut last) = watch::channel(Report::default());
        let stop = CancellationToken::new();
        let watching = tokio::spawn(watch(vec![database, broker], reports, stop.clone()));
        let deadline = Duration::from_secs(5);

        time::timeout(deadline, last.wait_for(|report| report.ready)).await.unwrap().unwrap();
        up.store(false, Ordering::Relaxed);
        let report = time::timeout(deadline, last.wait_for(|report| !report.ready)).await.unwrap().unwrap().clone();
        let expected = r#"{"ready":false,"checks":{"broker":{"ok":false,"error":"AWAY"},"database":{"ok":true}}}"#;
        assert_eq!(serde_json::to_string(&report).unwrap(), expected);
        up.store(true, Ordering::Relaxed);
        time::timeout(deadline, last.wait_for(|report| report.ready)).await.unwrap().unwrap();

        stop.cancel();
        time::timeout(deadline, watching).await.unwrap().unwrap();
        assert!(!last.borrow().ready, "a service that stops is not ready");
    }

    #[tokio::test(start_paused = true)]
    async fn advice_is_shown_and_takes_no_traffic_away() {
        let readers = Check::new("readers", || async { Err("stuck".to_owned()) }).advisory();
        let (reports, mut last) = watch::channel(Report::default());
        let stop = CancellationToken::new();
        let watching = tokio::spawn(watch(vec![readers], reports, stop.clone()));
        let report = last.wait_for(|report| report.ready).await.unwrap().clone();
        assert_eq!(report.checks["readers"].error, Some("CHECK_FAILED"));
        stop.cancel();
        watching.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_is_a_failure() {
        let hangs = Check::new("database", std::future::pending::<Result<(), Failure>>);
        assert_eq!(hangs.answer().await.error, Some("NO_ANSWER"));
    }
}
