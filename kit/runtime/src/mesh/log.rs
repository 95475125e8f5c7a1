//! What a process logs, over the wire.

use std::time::Duration;

use contracts::tradewind::mesh::v1;
use prost_types::Timestamp;
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_domain::request::Violations;

use crate::settings::log_filter;
use crate::telemetry::level::{Asked, Level};

/// For the longest time.
const MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// What is logged now.
pub(super) fn now(level: &Level) -> v1::LogFilter {
    match level.asked() {
        Some(Asked { filter, until, by }) => {
            let until = Timestamp { seconds: until.unix_timestamp(), nanos: until.nanosecond().cast_signed() };
            v1::LogFilter { filter, until_time: Some(until), principal: by }
        }
        None => v1::LogFilter { filter: level.settings().to_owned(), ..v1::LogFilter::default() },
    }
}

/// Logs what a request asks for.
pub(super) fn set(level: &Level, request: v1::SetLogFilterRequest, now: OffsetDateTime, by: &str) -> Result<(), Error> {
    match asked(request)? {
        None => {
            level.set(None);
            tracing::warn!(by, filter = level.settings(), "what is logged is again what the settings say");
        }
        Some((filter, lasts)) => {
            tracing::warn!(by, filter, ?lasts, "what is logged changes, for a time");
            level.set(Some((Asked { filter, until: now + lasts, by: by.to_owned() }, lasts)));
        }
    }
    Ok(())
}

/// The filter that a request asks for, and for how long; `None` where it asks for what the settings say.
pub(super) fn asked(request: v1::SetLogFilterRequest) -> Result<Option<(String, Duration)>, Error> {
    let v1::SetLogFilterRequest { filter, lasts } = request;
    if filter.is_empty() && lasts.is_none() {
        return Ok(None);
    }
    let mut violations = Violations::default();
    let read =
        if filter.is_empty() { Err("must say what is logged for that long".to_owned()) } else { log_filter(&filter) };
    violations.catch(read.map_err(|text| Error::invalid("filter", "FILTER_INVALID", text)));
    let lasts = lasts.and_then(|lasts| Duration::try_from(lasts).ok()).unwrap_or_default();
    let text = "must be more than nothing, and at most 24 hours";
    violations.check(!lasts.is_zero() && lasts <= MOST, "lasts", "LASTS_OUT_OF_RANGE", text);
    violations.finish_with(Some(Some((filter, lasts))))
}
