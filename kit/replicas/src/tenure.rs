//! Doing something only while it is this process's turn, or while some other condition holds.

use std::convert::Infallible;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;

use crate::Members;

/// A time during which something is this process's to do.
pub struct Turn {
    /// Cancelled when the turn is over.
    pub over: CancellationToken,
    /// Another process had the turn before.
    pub taken_over: bool,
}

/// Runs `work` whenever it is this process's turn to do what is called `name`, until `stop`; an error of `work` ends it all.
pub async fn hold<F, R>(members: &Members, name: &str, stop: &CancellationToken, mut work: F) -> Result<(), Error>
where
    F: FnMut(Turn) -> R,
    R: Future<Output = Result<(), Error>>,
{
    let seen = members.seen();
    let mut first = true;
    whenever(
        &seen,
        |roster| roster.is_my_turn(name),
        stop,
        |over| {
            let alone = seen.borrow().is_alone();
            work(Turn { over, taken_over: !(std::mem::take(&mut first) && alone) })
        },
    )
    .await
}

/// Runs `work` whenever `wanted` is true of what is `seen`, until `stop`. The token given to `work` is cancelled by `stop` and
/// when it is no longer wanted; work that ends by itself, or in an error, ends it all.
pub async fn whenever<T, F, R>(
    seen: &watch::Receiver<T>,
    wanted: impl Fn(&T) -> bool,
    stop: &CancellationToken,
    mut work: F,
) -> Result<(), Error>
where
    F: FnMut(CancellationToken) -> R,
    R: Future<Output = Result<(), Error>>,
{
    let mut seen = seen.clone();
    while !stop.is_cancelled() {
        let begins = stop.run_until_cancelled(seen.wait_for(&wanted));
        if !matches!(begins.await, Some(Ok(_))) {
            return Ok(());
        }
        let over = stop.child_token();
        let working = work(over.clone());
        let watching = async {
            if seen.wait_for(|now| !wanted(now)).await.is_ok() {
                over.cancel();
            }
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            biased;
            result = working => result?,
            never = watching => match never {},
        }
        if !over.is_cancelled() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn work_runs_again_whenever_it_is_wanted_again() {
        let (sender, seen) = watch::channel(false);
        let (stop, runs, ends) = (CancellationToken::new(), AtomicUsize::new(0), AtomicUsize::new(0));
        let work = async |over: CancellationToken| {
            runs.fetch_add(1, Ordering::SeqCst);
            over.cancelled().await;
            ends.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        let reached = async |count: &AtomicUsize, number| {
            while count.load(Ordering::SeqCst) < number {
                tokio::task::yield_now().await;
            }
        };
        let conduct = async {
            for round in 1..=3 {
                sender.send_replace(true);
                reached(&runs, round).await;
                sender.send_replace(false);
                reached(&ends, round).await;
            }
            stop.cancel();
        };
        let (ended, ()) = tokio::join!(whenever(&seen, |wanted| *wanted, &stop, work), conduct);
        assert_eq!(ended, Ok(()));
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn work_that_ends_by_itself_is_not_begun_again() {
        let (_sender, seen) = watch::channel(());
        assert_eq!(whenever(&seen, |()| true, &CancellationToken::new(), async |_| Ok(())).await, Ok(()));
    }
}
