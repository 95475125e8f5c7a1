//! How far orders have come, and how long that took.

use tradewind_projections::Slot;

use super::lines::CANCELLED;
use super::tables::{PLACED, REACHED};
use crate::domain::{EXACT, doublings, last_class};

/// The last step of an order.
const LAST: i64 = 6;

/// The steps of the orders that were placed in these days, in order; each class of times by itself where `classes` is so.
pub(super) fn question(slot: Slot, (from, to): (i64, i64), classes: bool) -> String {
    let (placed, reached) = (slot.table(PLACED), slot.table(REACHED));
    // What comes twice comes to the same. When a step was taken; 0 where it was not.
    let steps = (1..=CANCELLED).map(|step| format!("maxIf(at, step = {step}) AS at_{step}"));
    // Those of other days are left out of the groups: to look each up beforehand takes three times as long.
    let orders = format!(
        "SELECT order_id, {}, maxIf(reason, step = {CANCELLED}) AS why FROM (\
         SELECT order_id, toInt64(1) AS step, toInt64(0) AS reason, at FROM {placed} WHERE day BETWEEN {from} AND {to} \
         UNION ALL SELECT order_id, step, reason, at FROM {reached} WHERE day >= {}) GROUP BY order_id HAVING at_1 > 0",
        steps.collect::<Vec<_>>().join(", "),
        from - 1
    );
    // Step, reason, milliseconds, and when.
    let taken = |step: i64| {
        let (at, before) = (format!("at_{step}"), format!("at_{}", (step - 1).max(1)));
        let ms = format!("if({before} = 0, toInt64(0), intDiv({at} - {before}, 1000))");
        format!("tuple(toInt64({step}), toInt64(-1), {ms}, {at})")
    };
    let last: String = (2..=LAST).rev().map(|step| format!("at_{step} > 0, {step}, ")).collect();
    let ended = format!("tuple(toInt64(multiIf({last}1)), why, toInt64(0), at_{CANCELLED})");
    let all: Vec<_> = (1..=LAST).map(taken).chain([ended]).collect();
    let class = if classes { class() } else { "toInt64(0)".to_owned() };
    format!(
        "SELECT step, reason, {class} AS class, toInt64(count()) AS orders FROM (\
         SELECT tupleElement(one, 1) AS step, tupleElement(one, 2) AS reason, tupleElement(one, 3) AS ms FROM (\
         SELECT arrayJoin(arrayFilter(one -> tupleElement(one, 4) > 0, [{}])) AS one FROM ({orders}))) \
         GROUP BY step, reason, class ORDER BY step, reason, class",
        all.join(", ")
    )
}

/// The class of a time; a clock that was set back has none.
fn class() -> String {
    let of_doublings = doublings()
        .map(|of| format!("ms < {}, {} + intDiv(ms - {}, {}), ", of.least * 2, of.first, of.least, of.width));
    let of_doublings: String = of_doublings.collect();
    format!("toInt64(multiIf(ms < 0, 0, ms < {EXACT}, ms, {of_doublings}{}))", last_class())
}
