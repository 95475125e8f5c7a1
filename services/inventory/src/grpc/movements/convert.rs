//! Fields of requests about movements to what is asked, or everything that is wrong with them.

use contracts::tradewind::inventory::v1::{
    AuditStockRequest, ListStockDifferencesRequest, ListStockMovementsRequest, ResolveStockDifferenceRequest,
    StockDifferenceState, StockMovementKind,
};
use prost_types::Timestamp;
use time::{Duration, OffsetDateTime};
use tradewind_domain::Error;
use tradewind_domain::request::{SKU_RULE, Violations, is_sku, order_id, page_size, page_token};
use tradewind_sql::Place;
use uuid::Uuid;

use crate::app::Resolving;
use crate::domain::is_location;
use crate::grpc::convert::{LOCATION_RULE, level_token, note};
use crate::store::{Of, Wanted};

/// Which movements are asked for, where they begin, and how many.
pub(crate) fn movements(request: ListStockMovementsRequest) -> Result<(Wanted, Option<Place>, usize), Error> {
    let mut violations = Violations::default();
    let of = of(&mut violations, &request.sku, &request.location);
    let of_order = (!request.order_id.is_empty()).then(|| order_id(&request.order_id)).transpose();
    let of_order = violations.catch(of_order).flatten();
    let kind = StockMovementKind::try_from(request.kind);
    violations.check(kind.is_ok(), "kind", "UNKNOWN_KIND", "is nothing that stock does");
    let start = time_of(&mut violations, "start_time", request.start_time.as_ref());
    let end = time_of(&mut violations, "end_time", request.end_time.as_ref());
    let size = violations.catch(page_size(request.page_size));
    let after = violations.catch(page_token::<Place>(&request.page_token)).flatten();
    let size = violations.finish_with(size)?;
    let kind = kind.ok().filter(|kind| *kind != StockMovementKind::Unspecified);
    Ok((Wanted { of, order_id: of_order.map(|order| order.to_string()), kind, start, end }, after, size))
}

/// Where a page of levels begins, which is behind this one.
type After<'a> = Option<(&'a str, &'a str)>;

/// Which levels are to be compared, where they begin, and how many.
pub(crate) fn audit(request: &AuditStockRequest) -> Result<(Of, After<'_>, usize), Error> {
    let mut violations = Violations::default();
    let of = of(&mut violations, &request.sku, &request.location);
    let size = violations.catch(page_size(request.page_size));
    let after = violations.catch(level_token(&request.page_token)).flatten();
    let size = violations.finish_with(size)?;
    Ok((of, after, size))
}

/// Which differences are asked for, where they begin, and how many.
pub(crate) fn differences(
    request: &ListStockDifferencesRequest,
) -> Result<(StockDifferenceState, Option<Place>, usize), Error> {
    let mut violations = Violations::default();
    let state = StockDifferenceState::try_from(request.state);
    violations.check(state.is_ok(), "state", "UNKNOWN_STATE", "is not a state of a difference");
    let size = violations.catch(page_size(request.page_size));
    let after = violations.catch(page_token::<Place>(&request.page_token)).flatten();
    let (state, size) = violations.finish_with(state.ok().zip(size))?;
    Ok((state, after, size))
}

/// The difference that is resolved, and how.
pub(crate) fn resolving(request: ResolveStockDifferenceRequest) -> Result<Resolving, Error> {
    let ResolveStockDifferenceRequest { difference_id, note: said, correct_counters, .. } = request;
    let mut violations = Violations::default();
    let id = difference_id.parse::<Uuid>().map(|id| id.to_string());
    violations.check(id.is_ok(), "difference_id", "INVALID_DIFFERENCE_ID", "must be a UUID");
    note(&mut violations, "note", "INVALID_NOTE", &said);
    let difference_id = violations.finish_with(id.ok())?;
    Ok(Resolving { difference_id, note: said.into(), correct_counters })
}

fn of(violations: &mut Violations, sku: &str, location: &str) -> Of {
    violations.check(sku.is_empty() || is_sku(sku), "sku", "INVALID_SKU", SKU_RULE);
    violations.check(location.is_empty() || is_location(location), "location", "INVALID_LOCATION", LOCATION_RULE);
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Of { sku: said(sku), location: said(location) }
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

    fn refused<T: std::fmt::Debug>(read: Result<T, Error>) -> (&'static str, Vec<String>) {
        let error = read.unwrap_err();
        (error.reason, error.violations.into_iter().map(|violation| violation.field).collect())
    }

    #[test]
    fn everything_that_is_wrong_with_a_list_is_named() {
        let request = ListStockMovementsRequest {
            sku: "T A".to_owned(),
            location: "Hull".to_owned(),
            order_id: "7".to_owned(),
            kind: 9,
            start_time: Some(Timestamp { seconds: i64::MIN, nanos: 0 }),
            end_time: Some(Timestamp::default()),
            page_size: -1,
            page_token: "x".to_owned(),
        };
        let (reason, fields) = refused(movements(request));
        assert_eq!(reason, "INVALID_REQUEST");
        assert_eq!(fields, ["sku", "location", "order_id", "kind", "start_time", "page_size", "page_token"]);
        let (wanted, after, size) = movements(ListStockMovementsRequest::default()).unwrap();
        assert_eq!((wanted.kind, wanted.of.sku, after, size), (None, None, None, 100));
        let odd = ListStockDifferencesRequest { state: 9, ..Default::default() };
        assert_eq!(refused(differences(&odd)).0, "UNKNOWN_STATE");
        let odd =
            AuditStockRequest { location: "Hull".to_owned(), page_token: "hull".to_owned(), ..Default::default() };
        assert_eq!(refused(audit(&odd)).1, ["location", "page_token"]);
    }

    #[test]
    fn a_difference_is_resolved_with_a_note() {
        let id = "0190163d-8694-739b-aea5-966c26f8ad91";
        let of = |difference_id: &str, note: &str| {
            let (difference_id, note) = (difference_id.to_owned(), note.to_owned());
            resolving(ResolveStockDifferenceRequest { difference_id, note, ..Default::default() })
        };
        assert_eq!(of(id, "counted again").unwrap().difference_id, id);
        assert_eq!(refused(of("x", "counted")).0, "INVALID_DIFFERENCE_ID");
        for note in ["", " ", "a\nb", &"x".repeat(501)] {
            assert_eq!(refused(of(id, note)).0, "INVALID_NOTE", "{note:?}");
        }
    }
}
