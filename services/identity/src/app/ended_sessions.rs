//! The sessions that are over, for whoever verifies the access tokens that they were given.

use std::time::Duration;

use contracts::tradewind::identity::v1::ListEndedSessionsResponse;
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::timestamp;

use super::Means;
use crate::store::sessions;

/// How long it is told of a session that it is over: as long as an access token may be good, and some more.
pub(super) const TOLD: Duration = Duration::from_secs(3_900);
/// The most that are told at once.
const MOST: u64 = 10_000;

/// The sessions that are over since `since`, or since an access token of one may still be good, and until when those are all.
///
/// # Errors
/// When the database fails.
pub async fn ended_sessions(means: &Means, since: Option<OffsetDateTime>) -> Result<ListEndedSessionsResponse, Error> {
    let now = means.store.now();
    let since = since.unwrap_or(now - TOLD).max(now - TOLD);
    let over = sessions::over(means.store.command_reader(), since, now, MOST).await?;
    let is_all = u64::try_from(over.len()).is_ok_and(|told| told < MOST);
    let until = over.last().map(|(_, end)| *end).filter(|_| !is_all).unwrap_or(now);
    let session_ids = over.into_iter().map(|(id, _)| id).collect();
    Ok(ListEndedSessionsResponse { session_ids, until: Some(timestamp(until)) })
}
