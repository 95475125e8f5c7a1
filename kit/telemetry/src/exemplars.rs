//! Examples of what a histogram counts, each with the trace in which it happened: whoever sees a slow bucket opens one of its traces.
//!
//! Only parts of traces that somebody collects become exemplars, so that what is shown can be opened. Of each series the last one is
//! kept of every range of values, a range being half of the next one's: what is rare is not driven out by what is frequent.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, TraceId};

use crate::collecting::is_collected;

/// Series that have exemplars at once; one more has none.
const SERIES: usize = 4_096;

/// One value that was counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exemplar {
    /// What was measured, in the unit of its histogram.
    pub value: f64,
    /// When.
    pub time: SystemTime,
    /// In which trace.
    pub trace: TraceId,
    /// In which part of it.
    pub span: SpanId,
}

/// A histogram and its labels, as their instrument calls them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Series {
    /// The histogram.
    pub name: &'static str,
    /// Labels by name.
    pub labels: BTreeMap<String, String>,
}

/// By the power of two that is below the value.
type Ranges = BTreeMap<i32, Exemplar>;

static KEPT: LazyLock<Mutex<HashMap<Series, Ranges>>> = LazyLock::new(Mutex::default);

/// Notes what the histogram `name` has counted with these labels, if it happened in a part of a trace that somebody collects.
pub fn exemplar<'a>(
    name: &'static str,
    labels: impl IntoIterator<Item = &'a KeyValue>,
    value: f64,
    part: &SpanContext,
) {
    if !part.is_valid() || !is_collected(part) || !value.is_finite() {
        return;
    }
    let labels = labels.into_iter().map(|label| (label.key.to_string(), label.value.to_string())).collect();
    let mut kept = kept();
    let room = kept.len() < SERIES;
    let series = Series { name, labels };
    if !room && !kept.contains_key(&series) {
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "between -1074 and 1024")]
    let range = if value > 0.0 { value.log2().floor() as i32 } else { i32::MIN };
    let exemplar = Exemplar { value, time: opentelemetry::time::now(), trace: part.trace_id(), span: part.span_id() };
    kept.entry(series).or_default().insert(range, exemplar);
}

/// All that are kept, of each series the smallest value first.
#[must_use]
pub fn exemplars() -> HashMap<Series, Vec<Exemplar>> {
    kept().iter().map(|(series, ranges)| (series.clone(), ranges.values().copied().collect())).collect()
}

fn kept() -> MutexGuard<'static, HashMap<Series, Ranges>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use opentelemetry::trace::{TraceFlags, TraceState};

    use super::*;

    fn part(number: u8, flags: TraceFlags) -> SpanContext {
        let (trace, span) = (TraceId::from_bytes([number; 16]), SpanId::from_bytes([number; 8]));
        SpanContext::new(trace, span, flags, false, TraceState::NONE)
    }

    #[test]
    fn the_last_of_every_range_is_kept_and_none_that_nobody_collects() {
        let labels = [KeyValue::new("method", "Moor")];
        exemplar("moorings", &labels, 100.0, &part(5, TraceFlags::SAMPLED));
        crate::collect(0.0);
        let note = |value, number| exemplar("moorings", &labels, value, &part(number, TraceFlags::SAMPLED));
        note(0.1, 1);
        note(7.0, 2);
        note(0.12, 3);
        note(f64::NAN, 4);
        exemplar("moorings", &labels, 100.0, &part(5, TraceFlags::default()));
        exemplar("moorings", &labels, 100.0, &SpanContext::NONE);
        let series = Series { name: "moorings", labels: BTreeMap::from([("method".to_owned(), "Moor".to_owned())]) };
        let kept: Vec<_> = exemplars()[&series].iter().map(|kept| (kept.value, kept.trace)).collect();
        assert_eq!(kept, [(0.12, TraceId::from_bytes([3; 16])), (7.0, TraceId::from_bytes([2; 16]))]);
    }
}
