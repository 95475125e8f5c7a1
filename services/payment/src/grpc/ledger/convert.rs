//! Fields of requests to what is asked, or everything that is wrong with them.

use std::ops::Range;

use contracts::tradewind::payment::v1::{
    Account, DifferenceState, ListDifferencesRequest, ListEntriesRequest, ReconcileRequest, ResolveDifferenceRequest,
};
use prost_types::Timestamp;
use time::{Duration, OffsetDateTime};
use tradewind_domain::request::{Violations, order_id, page_size, page_token};
use tradewind_domain::{Error, is_text};
use tradewind_sql::Place;
use uuid::Uuid;

use crate::store::Wanted;

/// The longest period that is compared.
const LONGEST_PERIOD: Duration = Duration::days(31);
/// The longest note, in characters.
const LONGEST_NOTE: usize = 500;

/// Which entries are asked for, where they begin, and how many.
pub(super) fn entries(request: &ListEntriesRequest) -> Result<(Wanted, Option<Place>, usize), Error> {
    let mut violations = Violations::default();
    let of_order = (!request.order_id.is_empty()).then(|| order_id(&request.order_id)).transpose();
    let of_order = violations.catch(of_order).flatten();
    let account = Account::try_from(request.account);
    violations.check(account.is_ok(), "account", "UNKNOWN_ACCOUNT", "is no account of the ledger");
    let start = time_of(&mut violations, "start_time", request.start_time.as_ref());
    let end = time_of(&mut violations, "end_time", request.end_time.as_ref());
    let size = violations.catch(page_size(request.page_size));
    let after = violations.catch(page_token::<Place>(&request.page_token)).flatten();
    let size = violations.finish_with(size)?;
    let account = account.ok().filter(|account| *account != Account::Unspecified);
    Ok((Wanted { order_id: of_order.map(|order| order.to_string()), account, start, end }, after, size))
}

/// The period that is to be compared.
pub(super) fn period(request: &ReconcileRequest) -> Result<Range<OffsetDateTime>, Error> {
    let mut violations = Violations::default();
    for (field, time) in [("start_time", &request.start_time), ("end_time", &request.end_time)] {
        violations.check(time.is_some(), field, "TIME_MISSING", "must be given");
    }
    let start = time_of(&mut violations, "start_time", request.start_time.as_ref());
    let end = time_of(&mut violations, "end_time", request.end_time.as_ref());
    if let Some((start, end)) = start.zip(end) {
        violations.check(start < end, "end_time", "PERIOD_EMPTY", "must be later than start_time");
        violations.check(
            end - start <= LONGEST_PERIOD,
            "end_time",
            "PERIOD_TOO_LONG",
            "must be at most 31 days later than start_time",
        );
    }
    let (start, end) = violations.finish_with(start.zip(end))?;
    Ok(start..end)
}

/// Which differences are asked for, where they begin, and how many.
pub(super) fn differences(request: &ListDifferencesRequest) -> Result<(DifferenceState, Option<Place>, usize), Error> {
    let mut violations = Violations::default();
    let state = DifferenceState::try_from(request.state);
    violations.check(state.is_ok(), "state", "UNKNOWN_STATE", "is not a state of a difference");
    let size = violations.catch(page_size(request.page_size));
    let after = violations.catch(page_token::<Place>(&request.page_token)).flatten();
    let (state, size) = violations.finish_with(state.ok().zip(size))?;
    Ok((state, after, size))
}

/// The difference that is resolved, and how.
pub(super) fn resolution(request: ResolveDifferenceRequest) -> Result<(String, String), Error> {
    let ResolveDifferenceRequest { difference_id, note, .. } = request;
    let mut violations = Violations::default();
    let id = difference_id.parse::<Uuid>().map(|id| id.to_string());
    violations.check(id.is_ok(), "difference_id", "INVALID_DIFFERENCE_ID", "must be a UUID");
    let is_sound = note.chars().count() <= LONGEST_NOTE && is_text(&note);
    violations.check(is_sound, "note", "INVALID_NOTE", "must be 1 to 500 characters of one line that show something");
    let id = violations.finish_with(id.ok())?;
    Ok((id, note))
}

fn time_of(violations: &mut Violations, field: &str, time: Option<&Timestamp>) -> Option<OffsetDateTime> {
    let Timestamp { seconds, nanos } = time?;
    let read = OffsetDateTime::from_unix_timestamp(*seconds).ok();
    let read = read.and_then(|read| read.checked_add(Duration::nanoseconds((*nanos).into())));
    violations.check(read.is_some(), field, "INVALID_TIME", "must be a time");
    read
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    fn refused<T: std::fmt::Debug>(read: Result<T, Error>) -> (&'static str, Vec<String>) {
        let error = read.unwrap_err();
        (error.reason, error.violations.into_iter().map(|violation| violation.field).collect())
    }

    #[test]
    fn a_period_ends_after_it_begins_and_is_not_long() {
        let period = |start, end| period(&ReconcileRequest { start_time: Some(at(start)), end_time: Some(at(end)) });
        assert!(period(0, 31 * DAY).is_ok());
        let at_end = |reason| (reason, vec!["end_time".to_owned()]);
        assert_eq!(refused(period(5, 5)), at_end("PERIOD_EMPTY"));
        assert_eq!(refused(period(0, 31 * DAY + 1)), at_end("PERIOD_TOO_LONG"));
        assert_eq!(refused(period(0, i64::MAX)), at_end("INVALID_TIME"));
        assert_eq!(
            refused(super::period(&ReconcileRequest::default())),
            ("TIME_MISSING", vec!["start_time".to_owned(), "end_time".to_owned()])
        );
    }

    #[test]
    fn everything_that_is_wrong_with_a_list_is_named() {
        let request = ListEntriesRequest {
            order_id: "7".to_owned(),
            account: 9,
            start_time: Some(at(i64::MIN)),
            end_time: Some(at(0)),
            page_size: -1,
            page_token: "x".to_owned(),
        };
        let (reason, fields) = refused(entries(&request));
        assert_eq!(reason, "INVALID_REQUEST");
        assert_eq!(fields, ["order_id", "account", "start_time", "page_size", "page_token"]);
        let (wanted, after, size) = entries(&ListEntriesRequest::default()).unwrap();
        assert_eq!((wanted.account, after, size), (None, None, 100));
        assert_eq!(refused(differences(&ListDifferencesRequest { state: 9, ..Default::default() })).0, "UNKNOWN_STATE");
    }

    #[test]
    fn a_difference_is_resolved_with_a_note() {
        let id = "0190163d-8694-739b-aea5-966c26f8ad91";
        let of = |difference_id: &str, note: &str| {
            let (difference_id, note) = (difference_id.to_owned(), note.to_owned());
            resolution(ResolveDifferenceRequest { difference_id, note, ..Default::default() })
        };
        assert_eq!(of(id, "the provider paid").unwrap().0, id);
        assert_eq!(refused(of("x", "paid")).0, "INVALID_DIFFERENCE_ID");
        for note in ["", " ", "a\nb", &"x".repeat(501)] {
            assert_eq!(refused(of(id, note)).0, "INVALID_NOTE", "{note:?}");
        }
    }
}
