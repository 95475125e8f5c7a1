//! The matrix as people and as programs read it.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use serde_json::{Value, json};

use supervisor::services;

use super::cell::Verdict;

/// What came of all cells that were run.
pub struct Report {
    outcomes: Vec<Verdict>,
    took: Duration,
}

impl Report {
    /// In the order of the matrix, whatever the order in which they ended.
    #[must_use]
    pub fn new(mut outcomes: Vec<Verdict>, took: Duration) -> Self {
        outcomes.sort_by_key(|outcome| outcome.cell.number);
        Self { outcomes, took }
    }

    /// Whether every cell's books hold.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.failed().next().is_none()
    }

    fn failed(&self) -> impl Iterator<Item = &Verdict> {
        self.outcomes.iter().filter(|outcome| outcome.failure.is_some())
    }

    fn total(&self, of: impl Fn(&Verdict) -> usize) -> usize {
        self.outcomes.iter().map(of).sum()
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let cells = self.outcomes.iter().map(|outcome| {
            json!({
                "row": outcome.cell.row,
                "column": outcome.cell.column,
                "seed": outcome.seed,
                "store": outcome.store,
                "orders": outcome.orders,
                "kills": outcome.kills,
                "seconds": seconds(outcome.took),
                "holds": outcome.failure.is_none(),
                "failure": outcome.failure,
            })
        });
        let cells: Vec<_> = cells.collect();
        json!({ "cells": cells, "holds": self.is_good(), "seconds": seconds(self.took) })
    }
}

/// To a tenth.
fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 10.0).round() / 10.0
}

fn mark(outcome: &Verdict) -> &'static str {
    if outcome.failure.is_none() { "ok" } else { "FAILED" }
}

/// One line while it goes on.
impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (mark, name, took) = (mark(self), self.cell.name(), seconds(self.took));
        let Self { seed, store, orders, kills, .. } = self;
        write!(f, "{mark:6} {name:40} seed {seed:<6} {store:8} {orders:3} orders {kills:2} kills {took:5} s")?;
        self.failure.as_ref().map_or(Ok(()), |why| write!(f, "\n       {why}"))
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (services, others): (Vec<_>, Vec<_>) =
            self.outcomes.iter().partition(|outcome| services::names().contains(&outcome.cell.row));
        let mut columns: Vec<&str> = Vec::new();
        let mut rows: BTreeMap<&str, Vec<&Verdict>> = BTreeMap::new();
        for outcome in services {
            if !columns.contains(&outcome.cell.column) {
                columns.push(outcome.cell.column);
            }
            rows.entry(outcome.cell.row).or_default().push(outcome);
        }
        // Services stand side by side, because there are more boundaries than services.
        let names: Vec<_> = services::names().into_iter().filter(|name| rows.contains_key(name)).collect();
        if !names.is_empty() {
            write!(f, "\n{:24}", "killed at")?;
            names.iter().try_for_each(|name| write!(f, "{name:14}"))?;
            for column in columns {
                write!(f, "\n{column:24}")?;
                for name in &names {
                    let cell = rows[name].iter().find(|outcome| outcome.cell.column == column);
                    write!(f, "{:14}", cell.map_or("·", |outcome| mark(outcome)))?;
                }
            }
            writeln!(f)?;
        }
        for outcome in others {
            write!(f, "\n{:40}{}", outcome.cell.name(), mark(outcome))?;
        }
        let (cells, failed) = (self.outcomes.len(), self.failed().count());
        let (orders, kills) = (self.total(|outcome| outcome.orders), self.total(|outcome| outcome.kills));
        let took = self.took.as_secs();
        write!(f, "\n\n{cells} cells, {failed} failed; {orders} orders, {kills} kills, {took} s")?;
        self.failed()
            .try_for_each(|outcome| write!(f, "\nagain: make chaos SEED={}   ({})", outcome.seed, outcome.cell.name()))
    }
}
