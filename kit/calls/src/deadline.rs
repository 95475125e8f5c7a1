//! How long a call may still take: read from `grpc-timeout`, bounded by the contract, and left to
//! the calls made on its behalf.

use std::future::Future;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::observe::Side;
use crate::served;
use crate::status::{self, Layer};

pub const HEADER: &str = "grpc-timeout";

/// What a child call leaves of its parent's time, so that the parent can still answer.
const MARGIN: Duration = Duration::from_millis(10);

/// The deadline of the call that this task serves, if it serves one.
#[must_use]
pub fn current() -> Option<Instant> {
    served::deadline()
}

/// Runs `work` so that calls made by it end before `deadline`. A task spawned by `work` doesn't inherit it.
pub async fn scope<F: Future>(deadline: Instant, work: F) -> F::Output {
    served::within(deadline, work).await
}

/// When a call that starts now must end: the earliest of the method's own timeout, what the caller
/// asked for, and what the call served by this task leaves.
pub fn of_call(now: Instant, timeout: Option<Duration>, headers: &HeaderMap) -> Option<Instant> {
    let asked = asked(headers);
    let own = [timeout, asked].into_iter().flatten().min().map(|shortest| now + shortest);
    let inherited = current().map(|parent| {
        let left = parent.saturating_duration_since(now);
        now + left.saturating_sub(MARGIN.min(left / 10))
    });
    [own, inherited].into_iter().flatten().min()
}

/// Awaits `work` until `deadline`; the error is the status for the caller.
pub async fn within<F: Future>(deadline: Option<Instant>, side: Side, work: F) -> Result<F::Output, Status> {
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline, work).await.map_err(|_| exceeded(side)),
        None => Ok(work.await),
    }
}

/// Refuses to begin what is over `now`.
pub fn begin(deadline: Option<Instant>, now: Instant, side: Side) -> Result<(), Status> {
    if deadline.is_some_and(|deadline| deadline <= now) { Err(exceeded(side)) } else { Ok(()) }
}

/// The status of an expired deadline; `side` says who noticed.
pub fn exceeded(side: Side) -> Status {
    let layer = match side {
        Side::Client => Layer::ClientDeadline,
        Side::Server => Layer::ServerDeadline,
    };
    status::refusal(layer, Code::DeadlineExceeded, "DEADLINE", "the deadline has passed", [])
}

/// How long a call may take by its `grpc-timeout`; a malformed one counts as absent.
pub fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<u64>().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(value * 3600),
        "M" => Duration::from_secs(value * 60),
        "S" => Duration::from_secs(value),
        "m" => Duration::from_millis(value),
        "u" => Duration::from_micros(value),
        "n" => Duration::from_nanos(value),
        _ => return None,
    })
}

/// Tells a server what time is left until `deadline`.
pub fn announce(headers: &mut HeaderMap, deadline: Instant) {
    write(headers, deadline.saturating_duration_since(Instant::now()));
}

/// Writes the `grpc-timeout` header: at most eight digits, in the finest unit that fits.
fn write(headers: &mut HeaderMap, left: Duration) {
    const LIMIT: u128 = 100_000_000;
    let text = if left.as_micros() < LIMIT {
        format!("{}u", left.as_micros())
    } else if left.as_millis() < LIMIT {
        format!("{}m", left.as_millis())
    } else {
        format!("{}S", left.as_secs().min(99_999_999))
    };
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(HEADER, value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use http::HeaderMap;
    use tokio::time::Instant;

    use super::{HEADER, asked, of_call, scope, write};

    fn header(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, text.parse().unwrap());
        headers
    }

    #[test]
    fn grpc_timeout_is_read_in_every_unit_and_refused_when_malformed() {
        for (text, expected) in [("2H", 7_200_000), ("3M", 180_000), ("4S", 4_000), ("5m", 5), ("6000u", 6)] {
            assert_eq!(asked(&header(text)), Some(Duration::from_millis(expected)), "{text}");
        }
        for text in ["", "m", "+5m", "123456789m", "5x", "5"] {
            assert_eq!(asked(&header(text)), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for left in [Duration::ZERO, Duration::from_micros(1), Duration::from_secs(99), Duration::from_secs(200_000)] {
            let mut headers = HeaderMap::new();
            write(&mut headers, left);
            assert_eq!(asked(&headers), Some(left));
        }
    }

    #[tokio::test]
    async fn a_child_call_ends_before_its_parent() {
        let now = Instant::now();
        let parent = now + Duration::from_secs(1);
        let child =
            scope(parent, async { of_call(now, Some(Duration::from_secs(5)), &HeaderMap::new()) }).await.unwrap();
        assert_eq!(parent - child, Duration::from_millis(10));
        let shorter =
            scope(parent, async { of_call(now, Some(Duration::from_secs(5)), &header("20m")) }).await.unwrap();
        assert_eq!(shorter - now, Duration::from_millis(20));
    }
}
