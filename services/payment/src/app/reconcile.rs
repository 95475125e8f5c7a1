//! The ledger against the provider's statement. Everything is read before anything is recorded, so that a statement that breaks off
//! leaves nothing behind.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Instant;

use contracts::tradewind::payment::v1::{Difference as Resource, DifferenceFound, DifferenceKind, ReconcileResponse};
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;
use tradewind_domain::{Error, ErrorKind};
use tradewind_store::{Store, Tx};

use super::call_card_provider::CALLS;
use super::ledger::slot_of_now;
use super::{NoAnswer, Statement};
use crate::domain::{Compared, Difference, DifferenceCommand, Moment, RECONCILE, SETTLED, Said, compare};
use crate::store;

/// The most pages of a statement that are read.
const MOST_PAGES: usize = 500;
/// The most entries that are compared.
const MOST_ENTRIES: usize = 50_000;
/// The most differences that are recorded at once, and as many that are settled.
const MOST_NEWS: usize = 1_000;
/// How many of them are recorded in one transaction.
const BATCH: usize = 100;

/// Compares the ledger with the provider's statement, one period at a time.
pub struct Reconciler<S> {
    store: Store,
    statement: S,
    tolerance: Duration,
    running: Mutex<()>,
}

impl<S: Statement> Reconciler<S> {
    /// Compares what `store` has with `statement`; one side may have what moved later than the other by the `tolerance`.
    pub fn new(store: Store, statement: S, tolerance: Duration) -> Self {
        Self { store, statement, tolerance, running: Mutex::default() }
    }

    /// Compares a period, records what differs and was not known to, and settles what was late and has come to agree.
    ///
    /// # Errors
    /// `Rejected` with reason `PERIOD_NOT_OVER` or `PERIOD_TOO_FULL`; `Exhausted` with reason `RECONCILIATION_RUNS`; `Unavailable`
    /// with reason `STATEMENT_UNAVAILABLE` when the provider gives none, and `STATEMENT_UNREADABLE` or `STATEMENT_REFUSED` when it
    /// needs a person; `Unavailable` with reason `POSITION_NOT_REACHED` while the ledger is behind the payments.
    pub async fn reconcile(&self, period: Range<OffsetDateTime>) -> Result<ReconcileResponse, Error> {
        let now = self.store.now();
        if period.end > now {
            return Err(Error::new(ErrorKind::Rejected, "PERIOD_NOT_OVER", "the period ends in the future"));
        }
        let Ok(_running) = self.running.try_lock() else {
            return Err(Error::new(ErrorKind::Exhausted, "RECONCILIATION_RUNS", "another comparison runs here"));
        };
        let beyond = |time: OffsetDateTime, by: Duration| time.checked_add(by).unwrap_or(time);
        let around = beyond(period.start, -self.tolerance)..beyond(period.end, self.tolerance);
        let lines = self.lines(&around).await?;
        let entries =
            store::moved(self.store.reader(), slot_of_now(&self.store).await?, &around, MOST_ENTRIES + 1).await?;
        if entries.len() > MOST_ENTRIES {
            return Err(too_full());
        }
        let compared = compare(&lines, &entries, &period, Moment { now, tolerance: self.tolerance });
        self.record(compared).await
    }

    async fn lines(&self, time: &Range<OffsetDateTime>) -> Result<Vec<Said>, Error> {
        let (mut lines, mut after) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let began = Instant::now();
            let page = self.statement.page(time, after.as_deref()).await;
            CALLS.count("statement", result_of(&page), began.elapsed());
            let page = page.map_err(unavailable)?;
            lines.extend(page.lines);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(lines),
            }
        }
        Err(too_full())
    }

    async fn record(&self, compared: Compared) -> Result<ReconcileResponse, Error> {
        let Compared { lines, entries, mut differences, mut met } = compared;
        let found: HashSet<_> = differences.iter().map(|found| found.difference_id.as_str()).collect();
        met.retain(|id| !found.contains(id.as_str()));
        let known = store::known(self.store.reader(), found.iter().copied()).await?;
        differences.retain(|found| match known.get(&found.difference_id) {
            None => true,
            Some((kind, _)) => *kind == DifferenceKind::Late && found.kind() != DifferenceKind::Late,
        });
        let known = store::known(self.store.reader(), met.iter().map(String::as_str)).await?;
        let is_over = |known: &(DifferenceKind, bool)| *known == (DifferenceKind::Late, true);
        let mut over: Vec<_> = known.into_iter().filter(|(_, known)| is_over(known)).map(|(id, _)| id).collect();
        let more = differences.len() > MOST_NEWS || over.len() > MOST_NEWS;
        differences.truncate(MOST_NEWS);
        over.truncate(MOST_NEWS);

        let mut response =
            ReconcileResponse { lines: count(lines), entries: count(entries), more, ..Default::default() };
        for batch in differences.chunks(BATCH) {
            let (found, _) = self.store.transact(async |tx: &mut Tx| find(tx, batch).await).await?;
            response.found.extend(found);
        }
        for batch in over.chunks(BATCH) {
            let (settled, _) = self.store.transact(async |tx: &mut Tx| settle(tx, batch).await).await?;
            response.settled += settled;
        }
        Ok(response)
    }
}

async fn find(tx: &mut Tx, differences: &[DifferenceFound]) -> Result<Vec<Resource>, Error> {
    let mut all = Vec::new();
    for found in differences {
        let command = DifferenceCommand::Find(found.clone());
        let decided = tx.execute::<Difference>(&found.difference_id, command).await?;
        // Somebody else may have found it meanwhile.
        if !decided.events.is_empty() {
            all.push(store::put_found(tx, found.clone()));
        }
    }
    Ok(all)
}

async fn settle(tx: &mut Tx, ids: &[String]) -> Result<i32, Error> {
    let mut settled = 0;
    for id in ids {
        let command = DifferenceCommand::Settle { difference_id: id.clone() };
        if !tx.execute::<Difference>(id, command).await?.events.is_empty() {
            store::put_resolved(tx, id, SETTLED.to_owned(), RECONCILE.to_owned()).await?;
            settled += 1;
        }
    }
    Ok(settled)
}

fn count(many: usize) -> i32 {
    i32::try_from(many).unwrap_or(i32::MAX)
}

fn too_full() -> Error {
    let text = "more moved in the period, and near it, than one comparison reads: ask for a shorter one";
    Error::new(ErrorKind::Rejected, "PERIOD_TOO_FULL", text)
}

fn unavailable(cause: NoAnswer) -> Error {
    if !matches!(cause, NoAnswer::Unknown(_)) {
        tracing::error!(%cause, "the card provider gives no statement");
    }
    let (reason, text) = match cause {
        NoAnswer::Unknown(_) => ("STATEMENT_UNAVAILABLE", "the card provider gives no statement now"),
        NoAnswer::Unreadable(_) => ("STATEMENT_UNREADABLE", "the card provider gives a statement that cannot be read"),
        NoAnswer::Refused(_) => ("STATEMENT_REFUSED", "the card provider refuses to give a statement"),
    };
    Error::unavailable(reason, text)
}

const fn result_of<T>(page: &Result<T, NoAnswer>) -> &'static str {
    match page {
        Ok(_) => "read",
        Err(NoAnswer::Unknown(_)) => "unknown",
        Err(NoAnswer::Unreadable(_)) => "unreadable",
        Err(NoAnswer::Refused(_)) => "refused",
    }
}
