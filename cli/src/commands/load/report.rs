//! What became of orders, and how long their answers took.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde_json::json;
use tokio::time::Instant;

use super::Answer;
use crate::output::{document, say};

/// The longest that is told apart, in microseconds.
const LONGEST: u64 = 120_000_000;

pub(super) struct Report {
    began: Instant,
    /// Microseconds.
    took: Histogram<u64>,
    placed: u64,
    /// How many were refused, by what the service said.
    refused: BTreeMap<String, u64>,
    left_out: u64,
    /// What had been placed when it was last told.
    told: (Instant, u64),
}

impl Report {
    pub(super) fn new() -> Result<Self> {
        let began = Instant::now();
        let took = Histogram::new_with_max(LONGEST, 3)?;
        Ok(Self { began, took, placed: 0, refused: BTreeMap::new(), left_out: 0, told: (began, 0) })
    }

    pub(super) fn take(&mut self, (took, answer): Answer) {
        self.took.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST));
        match answer {
            Ok(()) => self.placed += 1,
            Err(status) => {
                let code = tradewind_mesh::code_name(status.code());
                let reason = tradewind_mesh::reason(&status).unwrap_or_default();
                *self.refused.entry(format!("{code} {reason}").trim_end().to_owned()).or_default() += 1;
            }
        }
    }

    /// One that was due was not placed, for too many had no answer yet.
    pub(super) fn left_out(&mut self) {
        self.left_out += 1;
    }

    pub(super) fn failed(&self) -> u64 {
        self.refused.values().sum::<u64>() + self.left_out
    }

    /// What went on since this was last told; nothing before anything did.
    pub(super) fn second(&mut self) -> Option<String> {
        let (since, before) = std::mem::replace(&mut self.told, (Instant::now(), self.placed));
        if self.placed == 0 && self.failed() == 0 {
            return None;
        }
        let rate = per_second(self.placed - before, since.elapsed());
        let failed = if self.failed() > 0 { format!(", {} not", self.failed()) } else { String::new() };
        Some(format!(
            "{:>8} placed{failed}, {rate:.1} a second, p50 {}, p99 {}",
            self.placed,
            self.at(0.5),
            self.at(0.99)
        ))
    }

    fn at(&self, quantile: f64) -> String {
        format!("{:.1} ms", self.millis(quantile))
    }

    fn millis(&self, quantile: f64) -> f64 {
        f64::from(u32::try_from(self.took.value_at_quantile(quantile)).unwrap_or(u32::MAX)) / 1_000.0
    }

    pub(super) fn show(&self, json: bool) -> Result<()> {
        let rate = per_second(self.placed, self.began.elapsed());
        if json {
            return document(&json!({
                "placed": self.placed, "per_second": rate, "refused": self.refused, "left_out": self.left_out,
                "p50_ms": self.millis(0.5), "p95_ms": self.millis(0.95), "p99_ms": self.millis(0.99),
            }));
        }
        say!(
            "{} orders placed, {rate:.1} a second; an answer took {} (p50), {} (p95), {} (p99)",
            self.placed,
            self.at(0.5),
            self.at(0.95),
            self.at(0.99)
        )?;
        self.refused.iter().try_for_each(|(why, count)| say!("{count} refused: {why}"))?;
        if self.left_out > 0 {
            say!("{} were due and not placed: too many had no answer yet", self.left_out)?;
        }
        say!("next: tradewind top, tradewind funnel")
    }
}

fn per_second(count: u64, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64().max(0.001)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
    use tonic::Status;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_counted_by_why_and_so_is_what_is_left_out() {
        let mut report = Report::new().unwrap();
        assert_eq!(report.second(), None);
        report.take((Duration::from_millis(4), Ok(())));
        report.take((Duration::from_millis(8), Err(Status::unavailable("away"))));
        report.left_out();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(report.second().unwrap(), "       1 placed, 2 not, 0.5 a second, p50 4.0 ms, p99 8.0 ms");
        assert_eq!((report.refused["UNAVAILABLE"], report.failed()), (1, 2));
    }
}
