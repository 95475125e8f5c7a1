//! When a relay that has much to publish waits for more, and for how long.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::FRAME_EVENTS;

/// From so many events in one go, more are on their way.
const MANY: usize = 4;
/// Until none has come for so long.
const QUIET: Duration = Duration::from_millis(3);
/// But for no longer than this.
const LONGEST: Duration = Duration::from_millis(20);

/// Whether more is worth waiting for: `published` went out in one go, a moment ago, and they were not as many as fit.
pub(super) fn is_worth_it(published: usize, since: Instant) -> bool {
    (MANY..FRAME_EVENTS).contains(&published) && since.elapsed() < LONGEST
}

/// Waits while the log grows.
pub(super) async fn wait_for_more(grown: &mut watch::Receiver<u64>) {
    let until = Instant::now() + LONGEST;
    loop {
        grown.mark_unchanged();
        let quiet = (Instant::now() + QUIET).min(until);
        match timeout_at(quiet, grown.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    async fn waited(every: Duration, times: u32) -> Duration {
        let (grow, mut grown) = watch::channel(0);
        let grows = async {
            for _ in 0..times {
                sleep(every).await;
                grow.send_modify(|count| *count += 1);
            }
            std::future::pending::<()>().await;
        };
        let began = Instant::now();
        tokio::select! {
            () = wait_for_more(&mut grown) => began.elapsed(),
            () = grows => Duration::MAX,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_a_moment_after_the_last_has_come() {
        let ms = Duration::from_millis;
        assert_eq!(waited(ms(1), 0).await, QUIET);
        assert_eq!(waited(ms(2), 3).await, ms(6) + QUIET);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_although_more_keeps_coming() {
        assert_eq!(waited(Duration::from_millis(1), 1_000).await, LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn few_go_out_at_once_and_so_does_what_fills_a_frame() {
        let now = Instant::now();
        let worth = [0, 1, MANY - 1, MANY, FRAME_EVENTS - 1, FRAME_EVENTS].map(|published| is_worth_it(published, now));
        assert_eq!(worth, [false, false, false, true, true, false]);
        sleep(LONGEST).await;
        assert!(!is_worth_it(MANY, now), "that was long ago");
    }
}
