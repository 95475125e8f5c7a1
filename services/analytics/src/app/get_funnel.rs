//! How far orders have come, how long that took, and where those were cancelled that were.

use contracts::tradewind::analytics::v1::{
    DropOut, FunnelStep, GetFunnelResponse, GetStepTimesResponse, SaleStep, StepTime,
};
use prost_types::Duration;
use tradewind_domain::Error;

use super::Sales;
use crate::domain::within;
use crate::store::sales::StepSum;

/// Of the orders of which days, and tokens of writes that must be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedDays {
    pub(crate) days: (i64, i64),
    pub(crate) after: Vec<String>,
}

/// What the steps are, in order.
const STEPS: [SaleStep; 6] = [
    SaleStep::Placed,
    SaleStep::StockConfirmed,
    SaleStep::Paid,
    SaleStep::Confirmed,
    SaleStep::Shipped,
    SaleStep::Delivered,
];

/// Of each step, how many have taken it, and why those were cancelled that have come no further.
///
/// # Errors
/// `Unavailable` when who keeps them is, or what must be seen has not arrived.
pub(crate) async fn get_funnel(kept: &Sales, AskedDays { days, after }: AskedDays) -> Result<GetFunnelResponse, Error> {
    let sums = kept.steps(&after, days, false).await?;
    let of = |step: SaleStep| sums.iter().filter(move |sum| sum.step == number(step));
    let funnel = |step: SaleStep| FunnelStep {
        step: step.into(),
        orders: of(step).filter(|sum| sum.reason < 0).map(|sum| sum.orders).sum(),
        drop_outs: of(step).filter_map(drop_out).collect(),
    };
    Ok(GetFunnelResponse { steps: STEPS.map(funnel).into() })
}

/// Of each step but the first, how many have taken it and how long that took.
///
/// # Errors
/// As [`get_funnel`].
pub(crate) async fn get_step_times(
    kept: &Sales,
    AskedDays { days, after }: AskedDays,
) -> Result<GetStepTimesResponse, Error> {
    let sums = kept.steps(&after, days, true).await?;
    let time = |step: SaleStep| {
        let taken = sums.iter().filter(|sum| sum.step == number(step) && sum.reason < 0);
        let classes: Vec<_> = taken.map(|sum| (sum.class, sum.orders)).collect();
        StepTime {
            step: step.into(),
            orders: classes.iter().map(|(_, orders)| orders).sum(),
            p50: within(50, &classes).map(duration),
            p95: within(95, &classes).map(duration),
        }
    };
    Ok(GetStepTimesResponse { steps: STEPS[1..].iter().copied().map(time).collect() })
}

fn number(step: SaleStep) -> i64 {
    i32::from(step).into()
}

fn drop_out(sum: &StepSum) -> Option<DropOut> {
    let reason = i32::try_from(sum.reason).ok().filter(|reason| *reason >= 0)?;
    Some(DropOut { reason, orders: sum.orders })
}

fn duration(ms: i64) -> Duration {
    Duration { seconds: ms / 1_000, nanos: i32::try_from(ms % 1_000 * 1_000_000).unwrap_or_default() }
}
