//! `tradewind demo`: real processes, a real broker, mTLS everywhere; every way an order can end and how people come in are
//! played, crashes included, and then the books are proved.

mod crashes;
mod faults;
mod front;
mod refusals;
mod scenarios;
mod stage;
mod timeline;
mod view;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::BoxFuture;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tonic::{Code, Status};

use crate::Global;
use crate::local::{Layout, Notice, System};
use stage::Stage;
use view::View;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Play only the scenarios whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// One way an order can go.
pub(crate) struct Scenario {
    name: &'static str,
    expected: &'static str,
    play: for<'a> fn(&'a Stage<'a>) -> BoxFuture<'a, Result<Played>>,
}

/// What came of a scenario that went as expected.
pub(crate) struct Played {
    /// The orders it placed; their timelines are shown.
    orders: Vec<String>,
    /// What happened, in a sentence.
    happened: String,
}

const READY_WITHIN: Duration = Duration::from_secs(30);
const SCENARIO_WITHIN: Duration = Duration::from_secs(60);
/// How much later somebody who was away is asked again.
const AGAIN: Duration = Duration::from_millis(100);
const BOOKS_WITHIN: Duration = Duration::from_secs(20);

pub(crate) async fn run(global: Global, args: Args) -> Result<ExitCode> {
    let scenarios: Vec<Scenario> =
        scenarios::all().into_iter().filter(|s| args.only.as_ref().is_none_or(|only| s.name.contains(only))).collect();
    anyhow::ensure!(!scenarios.is_empty(), "no scenario is called that");
    let layout = Layout::beside(&global.dir, "demo")?;
    let (sender, notices) = mpsc::unbounded_channel();
    let system = System::start(layout, &[], true, sender)?;
    let view = View::new(global.json);
    let mut terminate = signal(SignalKind::terminate())?;
    let outcome = tokio::select! {
        outcome = play(&system, scenarios, notices, &view) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
        _ = terminate.recv() => Err(anyhow::anyhow!("terminated")),
    };
    system.stop().await;
    let (played, as_expected, books_hold) = outcome?;
    view.close(played, as_expected)?;
    Ok(if played == as_expected && books_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays every scenario and proves the books; returns how many were played, how many went as
/// expected, and whether the books hold.
async fn play(
    system: &System,
    scenarios: Vec<Scenario>,
    mut notices: mpsc::UnboundedReceiver<Notice>,
    view: &View,
) -> Result<(usize, usize, bool)> {
    let started = Instant::now();
    for name in system.names() {
        view.working(&format!("starting {name}"));
        system.wait_ready(name, READY_WITHIN).await?;
    }
    view.note(&format!("{} processes ready after {:.1} s", system.names().count(), started.elapsed().as_secs_f32()))?;
    let stage = Stage::new(system)?;
    let (played, mut as_expected) = (scenarios.len(), 0);
    for scenario in scenarios {
        view.working(scenario.name);
        let outcome = tokio::time::timeout(SCENARIO_WITHIN, (scenario.play)(&stage))
            .await
            .unwrap_or_else(|_| Err(anyhow::anyhow!("not over after {} s", SCENARIO_WITHIN.as_secs())));
        let mut timelines = Vec::new();
        for order_id in outcome.iter().flat_map(|played| &played.orders) {
            let told = tokio::time::timeout(SCENARIO_WITHIN, timeline::of(stage.shop(), order_id));
            timelines.push(told.await.with_context(|| format!("order {order_id}: nobody tells what happened"))??);
        }
        as_expected += usize::from(outcome.is_ok());
        let incidents = std::iter::from_fn(|| notices.try_recv().ok()).collect();
        view.scenario(&scenario, &outcome, &timelines, incidents)?;
    }
    view.working("proving the books");
    let proof = stage.books().settle(BOOKS_WITHIN).await.context("cannot prove the books")?;
    view.books(&proof)?;
    Ok((played, as_expected, proof.holds()))
}

/// What a call says that changes nothing, as soon as there is somebody to ask: a scenario may have killed who was.
async fn patiently<T, R: Future<Output = Result<T, Status>>>(call: impl Fn() -> R) -> Result<T, Status> {
    loop {
        match call().await {
            Err(status) if status.code() == Code::Unavailable => tokio::time::sleep(AGAIN).await,
            said => return said,
        }
    }
}
