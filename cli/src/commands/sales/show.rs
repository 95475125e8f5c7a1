//! How sums and funnels are shown to people.

use contracts::tradewind::analytics::v1::{DropOut, FunnelStep, ListSalesResponse, SaleStep, Sales, StepTime};
use contracts::tradewind::ordering::v1::CancellationReason;
use prost_types::Duration;
use tradewind_domain::printable;

use crate::output::{money, word};

/// A line for each sum.
pub(super) fn sales(found: &ListSalesResponse) -> Vec<String> {
    if found.sales.is_empty() {
        return vec![format!("Nothing was sold from {} to {}.", found.from_day, found.to_day)];
    }
    let head = format!(
        "{:<10}  {:<24} {:>8} {:>10} {:>16}  {:>9} {:>16}",
        "from", "", "orders", "units", "amount", "cancelled", "amount"
    );
    std::iter::once(head).chain(found.sales.iter().map(line)).map(|line| printable(&line).into_owned()).collect()
}

fn line(sales: &Sales) -> String {
    let Sales { start_day, key, orders, units, cancelled_orders, .. } = sales;
    let (amount, cancelled) = (money(sales.amount.as_ref()), money(sales.cancelled_amount.as_ref()));
    format!("{start_day}  {key:<24} {orders:>8} {units:>10} {amount:>16}  {cancelled_orders:>9} {cancelled:>16}")
}

/// A line for each step with how long it took, and one for each reason why orders ended there.
pub(super) fn funnel(steps: &[FunnelStep], times: &[StepTime]) -> Vec<String> {
    let placed = steps.first().map_or(0, |step| step.orders);
    let mut lines = Vec::new();
    for FunnelStep { step, orders, drop_outs } in steps {
        let time = times.iter().find(|time| time.step == *step);
        let [p50, p95] = time.map_or([None, None], |time| [time.p50, time.p95]).map(|time| time.map(span));
        let times =
            p50.zip(p95).map_or_else(String::new, |(p50, p95)| format!("  half within {p50}, 95 % within {p95}"));
        let share = if placed > 0 { orders * 100 / placed } else { 0 };
        let name = word(*step, SaleStep::as_str_name, "SALE_STEP_");
        lines.push(format!("{name:<16} {orders:>8}  {share:>3} %{times}"));
        for DropOut { reason, orders } in drop_outs {
            let reason = word(*reason, CancellationReason::as_str_name, "CANCELLATION_REASON_");
            lines.push(format!("  cancelled      {orders:>8}  {reason}"));
        }
    }
    lines
}

fn span(Duration { seconds, nanos }: Duration) -> String {
    let nanos = nanos.unsigned_abs();
    humantime::format_duration(std::time::Duration::new(seconds.unsigned_abs(), nanos)).to_string()
}

#[cfg(test)]
mod tests {
    use contracts::tradewind::money::v1::Money;

    use super::*;

    #[test]
    fn a_sum_is_a_line() {
        let money = |minor| Some(Money { currency: "GBP".to_owned(), minor });
        let tea = Sales {
            start_day: "2026-11-01".to_owned(),
            key: "tea".to_owned(),
            orders: 3,
            units: 4,
            amount: money(1_234),
            cancelled_orders: 1,
            cancelled_units: 1,
            cancelled_amount: money(300),
        };
        let lines = sales(&ListSalesResponse { sales: vec![tea], ..Default::default() });
        let words: Vec<_> = lines[1].split_whitespace().collect();
        assert_eq!(words, ["2026-11-01", "tea", "3", "4", "GBP", "12.34", "1", "GBP", "3.00"]);
        let (from_day, to_day) = ("2026-11-01".to_owned(), "2026-11-02".to_owned());
        let nothing = sales(&ListSalesResponse { from_day, to_day, ..Default::default() });
        assert_eq!(nothing, ["Nothing was sold from 2026-11-01 to 2026-11-02."]);
    }

    #[test]
    fn a_funnel_tells_shares_times_and_why_orders_ended() {
        let drop_outs = vec![DropOut { reason: CancellationReason::OutOfStock.into(), orders: 1 }];
        let steps = [
            FunnelStep { step: SaleStep::Placed.into(), orders: 4, drop_outs },
            FunnelStep { step: SaleStep::StockConfirmed.into(), orders: 3, drop_outs: Vec::new() },
        ];
        let (p50, p95) = (Some(Duration { seconds: 0, nanos: 12_000_000 }), Some(Duration { seconds: 1, nanos: 0 }));
        let times = [StepTime { step: SaleStep::StockConfirmed.into(), orders: 3, p50, p95 }];
        let words = |line: &String| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            funnel(&steps, &times).iter().map(words).collect::<Vec<_>>(),
            ["PLACED 4 100 %", "cancelled 1 OUT_OF_STOCK", "STOCK_CONFIRMED 3 75 % half within 12ms, 95 % within 1s",]
        );
    }
}
