//! `tradewind load`: orders at a rate.

mod plan;
mod report;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use contracts::tradewind::ordering::v1::PlaceOrderRequest;
use shop::Clients;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use self::plan::Plan;
use self::report::Report;
use crate::output::say;
use crate::{Global, clients};

/// The most orders whose answers are waited for at once: more would measure this program.
const AT_ONCE: usize = 2_000;
const FASTEST: f64 = 10_000.0;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Orders a second; 0.2 is one in five seconds.
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    /// For how long; until it is told to stop where it is left out.
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    lasts: Option<Duration>,
    /// The card they are paid with; tok_decline and its kin are in the outside world's README.
    #[arg(long, default_value = "tok_ok")]
    payment_token: String,
}

pub(crate) async fn run(global: Global, Args { rate, lasts, payment_token }: Args) -> Result<ExitCode> {
    ensure!(rate > 0.0 && rate <= FASTEST, "--rate: from more than 0 to {FASTEST} orders a second");
    let shop = clients::asked(&global)?;
    let plan = Plan::prepare(&shop, payment_token).await?;
    let stop = CancellationToken::new();
    tokio::spawn(told_to_stop(stop.clone())?);
    if let Some(lasts) = lasts {
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(lasts).await;
            stop.cancel();
        });
    }
    let report = place(&shop, &plan, rate, &stop, !global.json).await?;
    report.show(global.json)?;
    Ok(if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told_to_stop(stop: CancellationToken) -> Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    })
}

/// Places orders when they are due until it is stopped, then waits for the answers that are still to come.
async fn place(shop: &Clients, plan: &Plan, rate: f64, stop: &CancellationToken, tells: bool) -> Result<Report> {
    let mut due = interval(Duration::from_secs_f64(1.0 / rate));
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut second = interval(Duration::from_secs(1));
    let (room, mut answers, mut report) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new(), Report::new()?);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(answer) = answers.join_next() => report.take(answer?),
            _ = second.tick() => {
                if tells && let Some(line) = report.second() { say!("{line}")?; }
            }
            _ = due.tick() => match Arc::clone(&room).try_acquire_owned() {
                Ok(place) => {
                    let (mut ordering, request) = (shop.ordering()?, plan.order());
                    answers.spawn(async move {
                        let (began, _place) = (Instant::now(), place);
                        let placed = ordering.place_order(request).await;
                        (began.elapsed(), placed.map(drop))
                    });
                }
                Err(_) => report.left_out(),
            },
        }
    }
    while let Some(answer) = answers.join_next().await {
        report.take(answer?);
    }
    Ok(report)
}

type Answer = (Duration, Result<(), Status>);
type Order = PlaceOrderRequest;
