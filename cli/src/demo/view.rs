//! What an onlooker sees: a spinner on a terminal, plain lines elsewhere, JSON for programs.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Result;
use books::Proof;
use indicatif::{ProgressBar, ProgressStyle};

use super::timeline::Timeline;
use super::{Played, Scenario};
use crate::local::Notice;
use crate::output::{explain, json_line, say};

/// Where the demonstration shows itself.
pub(crate) struct View {
    spinner: ProgressBar,
    json: bool,
}

impl View {
    /// A live view where standard error is a terminal.
    pub(crate) fn new(json: bool) -> Self {
        let spinner = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(100));
        Self { spinner, json }
    }

    /// Shows what is being done.
    pub(crate) fn working(&self, what: &str) {
        self.spinner.reset_elapsed();
        self.spinner.set_message(what.to_owned());
    }

    /// Says one thing.
    pub(crate) fn note(&self, text: &str) -> Result<()> {
        if self.json { Ok(()) } else { self.line(text) }
    }

    /// Shows one scenario: what was expected, what happened, and the orders' timelines.
    pub(crate) fn scenario(
        &self,
        scenario: &Scenario,
        outcome: &Result<Played>,
        timelines: &[Timeline],
        incidents: Vec<Notice>,
    ) -> Result<()> {
        let happened = match outcome {
            Ok(played) => played.happened.clone(),
            Err(error) => explain(error),
        };
        if self.json {
            let timelines: Vec<_> = timelines.iter().map(Timeline::json).collect();
            let verdict = serde_json::json!({
                "scenario": scenario.name,
                "expected": scenario.expected,
                "happened": happened,
                "as_expected": outcome.is_ok(),
                "timelines": timelines,
            });
            return self.spinner.suspend(|| json_line(&verdict));
        }
        let mark = if outcome.is_ok() { "ok    " } else { "FAILED" };
        self.line("")?;
        self.line(&format!("{mark} {}", scenario.name))?;
        self.line(&format!("       expected  {}", scenario.expected))?;
        self.line(&format!("       happened  {happened}"))?;
        for Notice { process, text } in incidents {
            self.line(&format!("       {process}: {text}"))?;
        }
        timelines.iter().flat_map(Timeline::lines).try_for_each(|line| self.line(&format!("         {line}")))
    }

    /// Shows what the books come to.
    pub(crate) fn books(&self, proof: &Proof) -> Result<()> {
        if self.json {
            let books = serde_json::json!({ "books_hold": proof.holds(), "books": proof.lines() });
            return self.spinner.suspend(|| json_line(&books));
        }
        self.line("")?;
        self.line(if proof.holds() { "the books hold" } else { "THE BOOKS DO NOT HOLD" })?;
        proof.lines().iter().try_for_each(|line| self.line(&format!("       {line}")))
    }

    /// The last line.
    pub(crate) fn close(&self, played: usize, as_expected: usize) -> Result<()> {
        self.spinner.finish_and_clear();
        if self.json {
            return json_line(&serde_json::json!({ "scenarios": played, "as_expected": as_expected }));
        }
        say!("")?;
        say!("demo: {played} scenarios, {as_expected} as expected")
    }

    fn line(&self, text: &str) -> Result<()> {
        self.spinner.suspend(|| say!("{text}"))
    }
}
