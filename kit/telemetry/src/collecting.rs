//! Which parts of traces somebody collects. It is decided before a span is made, for one that nobody collects costs as much as one
//! that is kept: a part of a trace is collected where its parent is, and of the traces that begin here a share.

use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::trace::SpanContext;

/// Nobody collects anything.
const NOTHING: u64 = u64::MAX;
/// All traces that begin here.
const ALL: u64 = u64::MAX - 1;

static SHARE: AtomicU64 = AtomicU64::new(NOTHING);

/// Collects, from now on, what belongs to a trace that is collected, and a share of the traces that begin here, 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of all numbers, about"
)]
pub fn collect(share: f64) {
    let share = if share >= 1.0 { ALL } else { (share.max(0.0) * ALL as f64) as u64 };
    SHARE.store(share, Ordering::Relaxed);
}

/// Collects nothing from now on, as when a process has begun.
pub fn collect_nothing() {
    SHARE.store(NOTHING, Ordering::Relaxed);
}

/// Whether what begins within `parent` is collected; a trace begins where that is none.
pub(crate) fn is_collected(parent: &SpanContext) -> bool {
    match SHARE.load(Ordering::Relaxed) {
        NOTHING => false,
        _ if parent.is_valid() => parent.is_sampled(),
        ALL => true,
        share => fastrand::u64(..ALL) < share,
    }
}
