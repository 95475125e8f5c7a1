//! What a replay comes to, for people and for programs.

use books::Proof;

use super::plan::Plan;
use super::play::Played;
use super::rows::{Rows, SAMPLES};

/// Everything there is to tell.
pub(crate) struct Report<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) plan: &'a Plan,
    pub(crate) played: &'a Played,
    pub(crate) proof: &'a Proof,
    pub(crate) commits_per_second: f64,
    /// What they were commits in.
    pub(crate) commits_in: &'static str,
}

impl Report<'_> {
    /// For people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let Self { rows, plan, played, proof, .. } = self;
        let mut lines = vec![format!("rows      {} read, {} of them sales or returns", rows.read, rows.rows.len())];
        for (reason, count) in &rows.passed_over {
            lines.push(format!("          {count} passed over: {reason}"));
            let samples = rows.samples.iter().filter(|sample| sample.reason == *reason);
            lines.extend(samples.map(|sample| format!("            {}", sample.text)));
        }
        lines.push(format!(
            "          {} at another price than the product's first; sold at the first",
            plan.differing_prices
        ));
        lines.push(format!(
            "plan      {} products, {} orders, {} cancellations, {} returns with no_matching_order",
            plan.products.len(),
            plan.orders.len(),
            plan.cancellations,
            plan.no_matching_order
        ));
        let impossible = &plan.impossible;
        if !impossible.is_empty() {
            lines.push(format!("          {} invoices passed over: they cannot be an order", impossible.len()));
            lines.extend(impossible.iter().take(SAMPLES).map(|invoice| format!("            {invoice}")));
        }
        lines.extend(played.ends.iter().map(|((planned, end), count)| {
            let surprise = if end == planned.name() { String::new() } else { format!("  PLANNED: {}", planned.name()) };
            format!("ended     {count:>6} {end}{surprise}")
        }));
        let [p50, p95, p99] = self.percentiles();
        lines.push(format!("speed     {:.0} settled orders a second", self.settled_per_second()));
        lines.push(format!(
            "          {:.3} of this machine's {:.0} single-insert commits a second ({})",
            self.ratio(),
            self.commits_per_second,
            self.commits_in
        ));
        lines.push(format!("          placed to settled: p50 {p50:.0} ms, p95 {p95:.0} ms, p99 {p99:.0} ms"));
        lines.push(if proof.holds() { "books     hold".to_owned() } else { "books     DO NOT HOLD".to_owned() });
        lines.extend(proof.lines().into_iter().map(|line| format!("          {line}")));
        lines.push(format!(
            "replay: {} orders, {} ended as planned",
            self.orders(),
            self.orders() - played.surprises()
        ));
        lines
    }

    /// For programs.
    pub(crate) fn json(&self) -> serde_json::Value {
        let ends: Vec<_> = self
            .played
            .ends
            .iter()
            .map(
                |((planned, end), count)| serde_json::json!({ "planned": planned.name(), "end": end, "orders": count }),
            )
            .collect();
        let [p50, p95, p99] = self.percentiles();
        serde_json::json!({
            "rows": self.rows.read,
            "passed_over": self.rows.passed_over,
            "passed_over_rows": self.rows.samples.iter().map(|sample| &sample.text).collect::<Vec<_>>(),
            "malformed": self.rows.malformed(),
            "impossible_invoices": self.plan.impossible.len(),
            "differing_prices": self.plan.differing_prices,
            "products": self.plan.products.len(),
            "orders": self.orders(),
            "cancellations": self.plan.cancellations,
            "no_matching_order": self.plan.no_matching_order,
            "ends": ends,
            "as_planned": self.orders() - self.played.surprises(),
            "settled_per_second": self.settled_per_second(),
            "single_insert_commits_per_second": self.commits_per_second,
            "ratio": self.ratio(),
            "latency_ms": { "p50": p50, "p95": p95, "p99": p99 },
            "books_hold": self.proof.holds(),
            "books": self.proof.lines(),
        })
    }

    fn orders(&self) -> usize {
        self.plan.orders.len()
    }

    fn settled_per_second(&self) -> f64 {
        let orders = u32::try_from(self.orders()).unwrap_or(u32::MAX);
        f64::from(orders) / self.played.elapsed.as_secs_f64()
    }

    fn ratio(&self) -> f64 {
        self.settled_per_second() / self.commits_per_second
    }

    /// The 50th, 95th and 99th percentile in milliseconds.
    fn percentiles(&self) -> [f64; 3] {
        [0.50, 0.95, 0.99].map(|quantile| {
            let micros = self.played.latency.value_at_quantile(quantile);
            f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1000.0
        })
    }
}
