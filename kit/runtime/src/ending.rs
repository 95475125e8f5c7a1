//! How the parts of a service end: together, and within the grace time.

use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The share of the grace time that calls in flight have. What remains is for readers, workers and the last publications.
pub(crate) fn for_calls(grace: Duration) -> Duration {
    grace * 2 / 5
}

/// The share of the grace time that work towards the outside has, once the calls have ended.
pub(crate) fn for_work(grace: Duration) -> Duration {
    grace / 5
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
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        ended = all(&mut tasks, stop) => ended,
        () = overdue => Err(anyhow!("not everything ended within the grace time of {grace:?}")),
    }
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
