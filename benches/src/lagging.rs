//! How far a read model is behind what it is made of, while orders come in at half of the rate at which they can be placed and seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use ordering::domain::Order;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, BrokerOptions};
use tradewind_domain::OrderId;
use tradewind_projections::seen;
use tradewind_runtime::Engine;
use tradewind_store::Store;
use tradewind_testing::{Database, Nats};

use crate::building::{NoOthers, ORDERS, command, open};
use crate::load::{For, per_second};
use crate::report::{Bound, Figure};

/// Orders that are on their way at a time where there are as many as can be.
const IN_FLIGHT: usize = 16;
const SEEN_WITHIN: Duration = Duration::from_secs(30);
/// The lag that is allowed, in milliseconds.
const ALLOWED: f64 = 50.0;

/// Orders a second that are placed and seen in the list, and the list's lag at half of that.
pub(crate) async fn figures(database: &Database, nats: &Nats, on: &'static str, time: For) -> Result<Vec<Figure>> {
    let store = open(database).await?;
    let options = BrokerOptions { url: nats.url(), tls: None, name: "ordering".to_owned() };
    let engine = Engine::new(store.clone(), Broker::connect(options).await?, Arc::new(NoOthers));
    let stop = CancellationToken::new();
    let keeping = tokio::spawn(engine.projection(ordering::order_list()).run(stop.clone()));
    let most = most(&store, time).await?;
    let lag = lag_at(&store, most / 2.0, time).await?;
    stop.cancel();
    keeping.await??;
    let millis =
        |quantile| Ok::<_, anyhow::Error>(f64::from(u32::try_from(lag.value_at_quantile(quantile))?) / 1_000.0);
    let figure = |what: &str, value, unit| Figure::new(what, Some(on), value, unit);
    Ok(vec![
        figure("orders placed and seen in the list", most, "orders/s"),
        figure("the list's lag at half of that, p50", millis(0.5)?, "ms"),
        figure("the list's lag at half of that, p99", millis(0.99)?, "ms").against(
            ALLOWED,
            "50 ms",
            Bound::AtMost(1.0),
        ),
    ])
}

/// Orders a second where the next is placed as soon as one is seen.
async fn most(store: &Store, time: For) -> Result<f64> {
    let (started, end, count) = (Instant::now(), time.end(), Arc::new(AtomicU64::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (store, count) = (store.clone(), Arc::clone(&count));
        tasks.spawn(async move {
            while Instant::now() < end {
                place(&store).await?;
                count.fetch_add(1, Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    per_second(count.load(Relaxed), started.elapsed())
}

/// Microseconds from a commit until the list shows it, where so many come in a second, whatever becomes of those before.
async fn lag_at(store: &Store, rate: f64, time: For) -> Result<Histogram<u64>> {
    let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (end, mut tasks) = (time.end(), JoinSet::new());
    while Instant::now() < end {
        ticks.tick().await;
        let store = store.clone();
        tasks.spawn(async move { place(&store).await });
    }
    let mut lag = Histogram::new(3)?;
    while let Some(task) = tasks.join_next().await {
        lag.record(u64::try_from(task??.as_micros())?)?;
    }
    Ok(lag)
}

/// Places an order; how long after the commit it is seen.
async fn place(store: &Store) -> Result<Duration> {
    let id = OrderId::generate().to_string();
    let mut tx = store.begin().await?;
    tx.execute::<Order>(&id, command(0, &id, 0)?).await?;
    let committed = tx.commit().await?;
    let since = Instant::now();
    let token = store.token(&committed).await?;
    seen(store, ORDERS, &[token], SEEN_WITHIN).await?;
    Ok(since.elapsed())
}
