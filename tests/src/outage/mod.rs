//! What a dependency costs that is away: three services in a row, processes all of them, of which the last is frozen or killed
//! while many call the first. How often each was asked, how late callers were told, and how soon all was well again.

mod callers;
mod link;
mod row;

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tradewind_testing::block_on;

use self::callers::{Callers, DEADLINE};
pub use self::link::serve;
use self::row::{Asked, Row};

/// Before the dependency goes, for as long as it takes to know the usual rate; and after it is back.
const BEFORE: Duration = Duration::from_secs(5);
const AFTER: Duration = Duration::from_secs(5);
/// Everybody may be asked so many times for a call.
const MOST_ASKED: f64 = 1.1;
/// A caller may be told so long after its deadline, for want of a processor.
const MOST_LATE: Duration = Duration::from_millis(100);
/// All has to be well so soon after the dependency is back.
const MOST_RECOVERY: Duration = Duration::from_secs(2);

/// How the dependency goes.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// It stands still: connections stay open, and nobody answers.
    Frozen,
    /// It is gone, and whoever connects is refused.
    Killed,
}

/// What came of one outage.
#[derive(Debug)]
struct Outcome {
    way: Way,
    /// Made by callers while the dependency was away.
    calls: u64,
    /// How those ended that ended meanwhile.
    ended: BTreeMap<&'static str, u64>,
    asked: Asked,
    /// How long after its deadline the last caller was told, of all.
    latest: Duration,
    /// Before the rate was the usual one again; none where it never was.
    recovery: Option<Duration>,
}

/// What came of all of them.
#[derive(Debug)]
pub struct Outages {
    lasting: Duration,
    all: Vec<Outcome>,
}

/// Takes the dependency away for so long, once in each way. What the services log is left in `folder`.
#[must_use]
pub fn run(lasting: Duration, folder: &Path) -> Outages {
    std::fs::create_dir_all(folder).expect("a folder for logs");
    let all = [Way::Frozen, Way::Killed].map(|way| block_on(Box::pin(go(way, lasting, folder))));
    Outages { lasting, all: all.into() }
}

async fn go(way: Way, lasting: Duration, folder: &Path) -> Outcome {
    let row = Row::start(&folder.join(way.name())).await;
    let callers = Callers::start(|| row.channel());
    callers.answered().await;
    let usual = callers.rate_for(BEFORE).await;

    let (calls, ended, asked) = (callers.begun(), callers.ended(), row.asked().await);
    match way {
        Way::Frozen => row.freeze(),
        Way::Killed => row.kill().await,
    }
    tokio::time::sleep(lasting).await;
    let (calls, asked) = (callers.begun() - calls, row.asked().await - asked);
    let before = |code: &str| ended.get(code).copied().unwrap_or_default();
    let ended = callers.ended().into_iter().map(|(code, count)| (code, count - before(code)));
    let ended = ended.filter(|(_, count)| *count > 0).collect();
    match way {
        Way::Frozen => row.thaw(),
        Way::Killed => row.start_again().await,
    }
    let recovery = callers.recovers(usual, AFTER).await;
    let latest = callers.end().await;
    row.stop().await;
    Outcome { way, calls, ended, asked, latest, recovery }
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Killed => "killed",
        }
    }
}

impl Outcome {
    fn is_good(&self) -> bool {
        let well = self.ended.get("OK").copied().unwrap_or_default();
        // What was under way when it went.
        self.calls > 0
            && well * 100 < self.calls
            && self.asked.each(self.calls).iter().all(|asked| *asked <= MOST_ASKED)
            && self.latest <= MOST_LATE
            && self.recovery.is_some_and(|after| after <= MOST_RECOVERY)
    }

    fn json(&self) -> Value {
        json!({
            "way": self.way.name(),
            "calls": self.calls,
            "ended": self.ended,
            "asked": self.asked.times(),
            "asked_for_a_call": self.asked.each(self.calls),
            "deadline_ms": DEADLINE.as_millis(),
            "latest_ms": self.latest.as_millis(),
            "recovery_ms": self.recovery.map(|after| after.as_millis()),
            "holds": self.is_good(),
        })
    }
}

impl Outages {
    /// Whether every bound was kept.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.all.iter().all(Outcome::is_good)
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let all: Vec<_> = self.all.iter().map(Outcome::json).collect();
        json!({ "seconds": self.lasting.as_secs(), "holds": self.is_good(), "outages": all })
    }
}

impl Display for Outages {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for outcome in &self.all {
            let (ways, lasting, calls) = (outcome.way.name(), self.lasting.as_secs(), outcome.calls);
            writeln!(f, "{ways} for {lasting} s: {calls} calls, of which ended {:?}", outcome.ended)?;
            let ([first, second, last], [.., door]) = (outcome.asked.times(), outcome.asked.each(calls));
            writeln!(
                f,
                "  the first was asked {first} times, the second {second}, the last {last}: {door:.3} a call (at most {MOST_ASKED})"
            )?;
            let recovery =
                outcome.recovery.map_or("never".to_owned(), |after| format!("after {} ms", after.as_millis()));
            writeln!(
                f,
                "  told {} ms after the deadline at the latest (at most {}); the usual rate again {recovery} (at most {}): {}",
                outcome.latest.as_millis(),
                MOST_LATE.as_millis(),
                MOST_RECOVERY.as_millis(),
                if outcome.is_good() { "holds" } else { "FAILED" }
            )?;
        }
        write!(f, "{}", if self.is_good() { "everything holds" } else { "NOT everything holds" })
    }
}
