//! What takes long: it goes on whether somebody looks or not, and tells how far it is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, anyhow, bail};
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Extension, Form};
use futures::StreamExt as _;
use maud::html;
use tokio_util::sync::CancellationToken;

use crate::Desk;
use crate::act::{Act, Marked, refused};
use crate::fault::Fault;
use crate::frame::{self, View};
use crate::kept::Plan;
use crate::live::{At, Look};
use crate::visitor::Visitor;
use crate::words::{count, more};

/// The most that are remembered.
const MOST: usize = 50;
/// The most failures of one that are shown.
const MOST_FAILED: usize = 50;
/// How many acts are under way at once.
const AT_ONCE: usize = 4;

/// All that there are.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<All>);

#[derive(Default)]
struct All {
    last: u64,
    by_number: BTreeMap<u64, Arc<Job>>,
}

struct Job {
    title: String,
    /// Where it was asked for.
    back: String,
    by: Visitor,
    total: usize,
    done: AtomicUsize,
    failed: AtomicUsize,
    /// Those that were not begun any more.
    left: AtomicUsize,
    failures: Mutex<Vec<String>>,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl Jobs {
    /// Begins one, which goes on for as long as the session does in which it was asked for; its number.
    ///
    /// # Errors
    /// Where one of the session is under way, or too many are.
    pub(crate) fn begin(&self, desk: &Desk, visitor: Visitor, plan: Plan) -> Result<u64> {
        let Plan { title, acts, back, .. } = plan;
        let job = Arc::new(Job::new(title, back, visitor, acts.len()));
        let number = self.all().add(Arc::clone(&job))?;
        tracing::info!(who = job.by.who, number, title = job.title, acts = job.total, "begun");
        let (shop, door) = (desk.shop_for(&job.by), Arc::clone(&desk.door));
        let ended = job.ended.clone().drop_guard();
        tokio::spawn(async move {
            let _ended = ended;
            let (job, shop, is_open) = (&job, &shop, || door.is_open(&job.by));
            let step = async |act: Act| {
                if job.stop.is_cancelled() {
                    job.left.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                let done = if is_open() { act.done(shop).await } else { Err(anyhow!("the session is over")) };
                job.step(&act, done);
            };
            futures::stream::iter(acts).for_each_concurrent(AT_ONCE, step).await;
            tracing::info!(who = job.by.who, number, failed = job.failed.load(Ordering::Relaxed), "ended");
        });
        Ok(number)
    }

    fn find(&self, number: u64) -> Option<Arc<Job>> {
        self.all().by_number.get(&number).cloned()
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    /// Takes one more; of those that have ended the first makes room.
    fn add(&mut self, job: Arc<Job>) -> Result<u64> {
        let under_way = || self.by_number.iter().filter(|(_, job)| !job.ended.is_cancelled());
        if let Some((number, _)) = under_way().find(|(_, other)| other.by.has_session_of(&job.by)) {
            bail!("work {number} of this session is under way: wait for it or stop it, and have this shown again");
        }
        if self.by_number.len() >= MOST {
            let ended = self.by_number.iter().find(|(_, job)| job.ended.is_cancelled()).map(|(number, _)| *number);
            let ended = ended.with_context(|| format!("{MOST} others are under way: have this shown again later"))?;
            self.by_number.remove(&ended);
        }
        self.last += 1;
        self.by_number.insert(self.last, job);
        Ok(self.last)
    }
}

impl Job {
    fn new(title: String, back: String, by: Visitor, total: usize) -> Self {
        Self {
            title,
            back,
            by,
            total,
            done: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            failures: Mutex::default(),
            stop: CancellationToken::new(),
            ended: CancellationToken::new(),
        }
    }

    fn step(&self, act: &Act, done: Result<String>) {
        if let Err(error) = done {
            self.failed.fetch_add(1, Ordering::Relaxed);
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            if failures.len() < MOST_FAILED {
                failures.push(format!("{}: {}", act.words(), shop::explain_error(&error)));
            }
        }
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Begins no more of its acts; those under way end.
pub(crate) async fn stop(
    State(desk): State<Desk>,
    Extension(visitor): Extension<Visitor>,
    At(number): At<u64>,
    Form(Marked { mark }): Form<Marked>,
) -> Response {
    if let Some(refused) = refused(&mark, &visitor) {
        return refused;
    }
    if let Some(job) = desk.jobs.find(number) {
        tracing::info!(who = visitor.who, number, "stopped");
        job.stop.cancel();
    }
    Redirect::to(&format!("/console/jobs/{number}")).into_response()
}

/// How far one is.
pub(crate) async fn show(look: Look, At(number): At<u64>) -> Result<View, Fault> {
    let Some(job) = look.desk.jobs.find(number) else {
        return Err(Fault::invalid("There is no such work: the console remembers the last ones since it was started."));
    };
    let [done, failed, left] = [&job.done, &job.failed, &job.left].map(|number| number.load(Ordering::Relaxed));
    let failures = job.failures.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let live = html! {
        p {
            progress #progress max=(job.total.max(1)) value=(done) aria-label="How far it is" {}
            " " (count(i128::try_from(done).unwrap_or_default())) " of " (count(i128::try_from(job.total).unwrap_or_default()))
            @if done == job.total { ", all ended" } @else if job.stop.is_cancelled() { ", stopped" }
            @if left > 0 { ", " (left) " not begun" }
            @if failed > 0 { ", " b.bad { (failed) " failed" } }
        }
        @if !failures.is_empty() {
            ul.fault { @for failure in &failures { li { (failure) } } }
            @if failed > failures.len() { (more("failures", None)) }
        }
        @if !job.ended.is_cancelled() && !job.stop.is_cancelled() {
            form method="post" action={ "/console/jobs/" (number) "/stop" } {
                (frame::mark(&look.visitor))
                button #stop { "Stop" }
            }
        }
        p { a href=(job.back) { "Back to where it was asked for" } }
    };
    let still = html! { p { "Begun by " b { bdi { (job.by.name.expose()) } } } };
    Ok(View { title: job.title.clone(), still, live })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Door, Ticket};

    #[test]
    fn only_one_that_has_ended_makes_room() {
        let visitor = || {
            let ticket = Ticket::new();
            let door = Door::of(ticket.clone(), "operator");
            door.visitor(&door.enter(ticket.path().split('=').nth(1).unwrap()).unwrap(), true).unwrap()
        };
        let another = || Arc::new(Job::new(String::new(), String::new(), visitor(), 1));
        let (mut all, jobs) = (All::default(), Vec::from_iter((0..50).map(|_| another())));
        let numbers: Vec<_> = jobs.iter().map(|job| all.add(Arc::clone(job)).unwrap()).collect();
        assert!(all.add(another()).unwrap_err().to_string().starts_with("50 others are under way"));
        jobs[7].ended.cancel();
        assert_eq!(all.add(another()).unwrap(), 51);
        let there: Vec<_> = all.by_number.keys().copied().collect();
        assert!(!there.contains(&numbers[7]) && there.len() == 50 && there.contains(&numbers[0]), "{there:?}");
    }
}
