//! What a release goes through on a real cluster, tried there one after the other: installations, deaths, upgrades, scaling, drains,
//! and what nobody may reach. Every row says what was expected and what happened, and ends with proved books.
//!
//! Nothing here starts the cluster, or knows how its node was made: `scripts/cluster` does.

mod kube;
mod load;
mod release;
mod rows;
mod sight;
mod visitor;

use std::fmt::{self, Display, Formatter};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::FutureExt;
use serde_json::{Value, json};
use tradewind_testing::block_on;

use self::kube::Kube;
use self::release::Release;
pub use self::sight::reach;
use crate::chaos::text_of;

/// How long anything may take in a cluster of one small machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// One row: what is tried, and what has to come of it.
pub struct Row {
    pub name: &'static str,
    pub expected: &'static str,
    play: rows::Play,
}

/// What came of a row.
pub struct Tried {
    row: Row,
    /// What was seen, or why it failed.
    happened: Result<String, String>,
    took: Duration,
}

/// What came of all.
pub struct Report(Vec<Tried>);

/// The rows whose names hold one of the texts, all when there is none, in their order.
#[must_use]
pub fn rows(only: &[String]) -> Vec<Row> {
    let wanted = |row: &Row| only.is_empty() || only.iter().any(|text| row.name.contains(text));
    rows::all().into_iter().filter(wanted).collect()
}

/// Tries the rows one after the other on a release that is installed for them, and tells of each. Where one fails, what the pods
/// said is kept in a folder of `logs`, and the next begins with another installation.
#[must_use]
pub fn run(rows: Vec<Row>, logs: &Path, tell: impl Fn(&Tried)) -> Report {
    block_on(on(Kube::new(), rows, logs, tell))
}

async fn on(kube: Kube, rows: Vec<Row>, logs: &Path, tell: impl Fn(&Tried)) -> Report {
    let mut release = Release::new(kube, "trial", "trial", &["helm/tradewind/values-kind.yaml"]);
    let mut tried = Vec::new();
    // Who ordered in a run before is known to nobody.
    let mut is_known = false;
    for row in rows {
        let began = Instant::now();
        let played = AssertUnwindSafe(async {
            if !is_known {
                // What is left of it says little about this row.
                release.wipe().await;
            }
            (row.play)(&mut release).await
        });
        let happened = played.catch_unwind().await.map_err(|panic| text_of(&*panic));
        is_known = happened.is_ok();
        if !is_known {
            let logs = logs.join(row.name.replace(' ', "-"));
            // What cannot be kept is missed by whoever reads the report, which there is all the same.
            let _ = AssertUnwindSafe(release.kube.keep_logs(&logs)).catch_unwind().await;
        }
        tried.push(Tried { row, happened, took: began.elapsed() });
        tell(tried.last().expect("a row"));
    }
    Report(tried)
}

impl Report {
    /// Whether every row ended as expected.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.0.iter().all(|tried| tried.happened.is_ok())
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let rows = self.0.iter().map(|tried| {
            let (happened, failure) = (tried.happened.as_ref().ok(), tried.happened.as_ref().err());
            json!({
                "row": tried.row.name,
                "expected": tried.row.expected,
                "happened": happened,
                "failure": failure,
                "seconds": tried.took.as_secs(),
            })
        });
        json!({ "rows": rows.collect::<Vec<_>>(), "holds": self.is_good() })
    }
}

/// A few lines while it goes on.
impl Display for Tried {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Row { name, expected, .. } = self.row;
        let (mark, happened) = match &self.happened {
            Ok(happened) => ("ok", happened),
            Err(failure) => ("FAILED", failure),
        };
        write!(
            f,
            "{mark:6} {name:28} {:4} s\n       expected: {expected}\n       happened: {happened}",
            self.took.as_secs()
        )
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for tried in &self.0 {
            let mark = if tried.happened.is_ok() { "ok" } else { "FAILED" };
            writeln!(f, "{mark:6} {:28} {:4} s  {}", tried.row.name, tried.took.as_secs(), tried.row.expected)?;
        }
        let failed = self.0.iter().filter(|tried| tried.happened.is_err()).count();
        write!(f, "\n{} rows, {failed} failed", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_cluster_that_does_not_do_what_it_is_told_is_reported() {
        let logs = tradewind_testing::scratch();
        let told = Cell::new(0);
        let kube = Kube::by("false".into(), "false".into());
        let rows = rows(&["install".to_owned(), "scale".to_owned()]);
        let wanted = rows.len();
        let report = block_on(on(kube, rows, logs.path(), |tried| {
            let why = tried.happened.as_ref().unwrap_err();
            assert!(why.contains("kubectl delete namespace trial"), "{why}");
            told.set(told.get() + 1);
        }));
        assert_eq!((report.is_good(), report.0.len(), told.get()), (false, wanted, wanted));
    }
}
