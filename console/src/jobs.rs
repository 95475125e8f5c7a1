//! What takes long: it goes on whether somebody looks or not, and tells how far it is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt as _;
use maud::html;
use shop::Clients;

use crate::act::Act;
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
    /// Begins one; its number.
    pub(crate) fn begin(&self, shop: Clients, who: &str, title: String, acts: Vec<Act>) -> u64 {
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
        tracing::info!(who, number, title = job.title, acts = job.total, "begun");
        let who = who.to_owned();
        tokio::spawn(async move {
            let job = &job;
            let shop = &shop;
            futures::stream::iter(acts).for_each_concurrent(AT_ONCE, |act| job.step(shop, act)).await;
            tracing::info!(who, number, failed = job.failed.load(Ordering::Relaxed), "ended");
        });
        number
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Job>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    async fn step(&self, shop: &Clients, act: Act) {
        if let Err(error) = act.done(shop).await {
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
