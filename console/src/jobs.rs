//! What takes long: it goes on whether somebody looks or not, and tells how far it is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, anyhow};
use futures::StreamExt as _;
use maud::html;

use crate::Desk;
use crate::act::Act;
use crate::door::Visitor;
use crate::fault::Fault;
use crate::frame::View;
use crate::live::{At, Look};
use crate::words::count;

/// The most that are remembered.
const MOST: usize = 50;
/// The most failures of one that are shown.
const MOST_FAILED: usize = 50;
/// How many acts are under way at once.
const AT_ONCE: usize = 4;

/// All that there are, by number.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<BTreeMap<u64, Arc<Job>>>);

struct Job {
    title: String,
    total: usize,
    done: AtomicUsize,
    failed: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

impl Jobs {
    /// Begins one, which goes on for as long as the session does in which it was asked for; its number.
    pub(crate) fn begin(&self, desk: &Desk, visitor: Visitor, title: String, acts: Vec<Act>) -> u64 {
        let job = Arc::new(Job {
            title,
            total: acts.len(),
            done: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            failures: Mutex::default(),
        });
        let mut jobs = self.all();
        let number = jobs.last_key_value().map_or(1, |(number, _)| number + 1);
        jobs.insert(number, Arc::clone(&job));
        while jobs.len() > MOST {
            jobs.pop_first();
        }
        drop(jobs);
        tracing::info!(who = visitor.who, number, title = job.title, acts = job.total, "begun");
        let (shop, door) = (desk.shop_for(&visitor), Arc::clone(&desk.door));
        tokio::spawn(async move {
            let (job, shop, is_open) = (&job, &shop, || door.is_open(&visitor));
            let step = async |act: Act| {
                let done = if is_open() { act.done(shop).await } else { Err(anyhow!("the session is over")) };
                job.step(&act, done);
            };
            futures::stream::iter(acts).for_each_concurrent(AT_ONCE, step).await;
            tracing::info!(who = visitor.who, number, failed = job.failed.load(Ordering::Relaxed), "ended");
        });
        number
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Job>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
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

/// How far one is.
pub(crate) async fn show(look: Look, At(number): At<u64>) -> Result<View, Fault> {
    let job = look.desk.jobs.all().get(&number).cloned();
    let Some(job) = job else {
        return Err(Fault::invalid("There is no such work: the console remembers the last ones since it was started."));
    };
    let (done, failed) = (job.done.load(Ordering::Relaxed), job.failed.load(Ordering::Relaxed));
    let failures = job.failures.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let live = html! {
        p {
            progress #progress max=(job.total.max(1)) value=(done) aria-label="How far it is" {}
            " " (count(i128::try_from(done).unwrap_or_default())) " of " (count(i128::try_from(job.total).unwrap_or_default()))
            @if done == job.total { ", all ended" }
            @if failed > 0 { ", " b.bad { (failed) " failed" } }
        }
        @if !failures.is_empty() {
            ul.fault { @for failure in &failures { li { (failure) } } }
        }
        p { a href="/console" { "Back to what is stuck" } }
    };
    Ok(View { title: job.title.clone(), still: html! {}, live })
}
