//! How the parts of a service end: together, and within the grace time.

use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

// The grace time, in tenths: 4 for calls in flight, 2 for work towards the outside, 3 for what that and the readers still have to
// publish, 1 for the last spans. What a part doesn't use, the next may.

/// The share of the grace time that calls in flight have.
pub(crate) fn for_calls(grace: Duration) -> Duration {
    grace * 4 / 10
}

/// The share of the grace time that work towards the outside has, once the calls have ended.
pub(crate) fn for_work(grace: Duration) -> Duration {
    grace * 2 / 10
}

/// The share of the grace time that the last spans may take to be exported, once everything else has ended.
pub(crate) fn for_spans(grace: Duration) -> Duration {
    grace / 10
}

/// Runs readers, workers and publications, which end after the calls; cuts them off when only the share of the spans is left.
///
/// # Errors
/// What ended them.
pub(crate) async fn in_time(
    engine: impl Future<Output = anyhow::Result<()>>,
    stop: &CancellationToken,
    grace: Duration,
) -> anyhow::Result<()> {
    tokio::select! {
        ended = engine => ended,
        () = after(grace.saturating_sub(for_spans(grace)), stop) => {
            tracing::warn!("readers, workers or publications did not end in time; the next start takes up what they left");
            Ok(())
        }
    }
}

/// Waits for every task, after the order to stop no longer than the grace time.
///
/// # Errors
/// What ended unasked, and that the grace time was over.
pub(crate) async fn finish(
    mut tasks: JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
    grace: Duration,
) -> anyhow::Result<()> {
    tokio::select! {
        ended = all(&mut tasks, stop) => ended,
        () = after(grace, stop) => Err(anyhow!("not everything ended within the grace time of {grace:?}")),
    }
}

/// Waits until the order to stop is so long ago.
async fn after(time: Duration, stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(time).await;
}

/// Waits for every task; the first that ends unasked ends the others.
async fn all(tasks: &mut JoinSet<anyhow::Result<()>>, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut outcome = Ok(());
    while let Some(ended) = tasks.join_next().await {
        let ended = match ended.context("a part of the service panicked").flatten() {
            Ok(()) if !stop.is_cancelled() => Err(anyhow!("a part of the service ended by itself")),
            ended => ended,
        };
        outcome = outcome.and(ended);
        stop.cancel();
    }
    outcome
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn what_does_not_end_within_the_grace_time_is_cut_off() {
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(std::future::pending());
        stop.cancel();
        let why = finish(tasks, &stop, GRACE).await.unwrap_err().to_string();
        assert_eq!(why, "not everything ended within the grace time of 10s");
    }

    #[tokio::test(start_paused = true)]
    async fn parts_that_take_all_they_may_end_within_the_grace_time() {
        for grace in [Duration::from_secs(1), GRACE, Duration::from_secs(3600)] {
            let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
            let (calls, engine) = (stop.clone(), stop.clone());
            tasks.spawn(async move {
                after(for_calls(grace), &calls).await;
                Ok(())
            });
            tasks.spawn(async move { in_time(std::future::pending(), &engine, grace).await });
            let began = tokio::time::Instant::now();
            stop.cancel();
            finish(tasks, &stop, grace).await.unwrap();
            tokio::time::sleep(for_spans(grace)).await;
            // The timer rounds up to the next millisecond, once for each time that is waited for.
            assert!(began.elapsed() <= grace + Duration::from_millis(2), "{:?} of {grace:?}", began.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_ends_unasked_ends_the_others_and_is_told() {
        for (end, told) in [(Ok(()), "a part of the service ended by itself"), (Err(anyhow!("sunk")), "sunk")] {
            let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
            let other = stop.clone();
            tasks.spawn(async move {
                other.cancelled().await;
                Ok(())
            });
            tasks.spawn(async move { end });
            assert_eq!(finish(tasks, &stop, GRACE).await.unwrap_err().to_string(), told);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_in_a_part_ends_the_service() {
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(async { panic!("on purpose") });
        assert_eq!(finish(tasks, &stop, GRACE).await.unwrap_err().to_string(), "a part of the service panicked");
    }
}
