//! What an onlooker sees: a spinner on a terminal, plain lines elsewhere, JSON for programs.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use super::timeline::Timeline;
use super::{Played, Scenario};
use crate::books::Proof;
use crate::local::Notice;

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
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            self.line(text);
        }
    }

    /// Shows one scenario: what was expected, what happened, and the orders' timelines.
    pub(crate) fn scenario(
        &self,
        scenario: &Scenario,
        outcome: &Result<Played>,
        timelines: &[Timeline],
        incidents: Vec<Notice>,
    ) {
        let happened = match outcome {
            Ok(played) => played.happened.clone(),
            Err(error) => crate::output::explain(error),
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
            return self.line(&verdict.to_string());
        }
        let mark = if outcome.is_ok() { "ok    " } else { "FAILED" };
        self.line(&format!("\n{mark} {}", scenario.name));
        self.line(&format!("       expected  {}", scenario.expected));
        self.line(&format!("       happened  {happened}"));
        for Notice { process, text } in incidents {
            self.line(&format!("       {process}: {text}"));
        }
        for timeline in timelines {
            for line in timeline.lines() {
                self.line(&format!("         {line}"));
            }
        }
    }

    /// Shows what the books come to.
    pub(crate) fn books(&self, proof: &Proof) {
        if self.json {
            return self.line(&serde_json::json!({ "books_hold": proof.holds(), "books": proof.lines() }).to_string());
        }
        self.line(if proof.holds() { "\nthe books hold" } else { "\nTHE BOOKS DO NOT HOLD" });
        for line in proof.lines() {
            self.line(&format!("       {line}"));
        }
    }

    /// The last line.
    pub(crate) fn close(&self, played: usize, as_expected: usize) {
        self.spinner.finish_and_clear();
        if self.json {
            println!("{}", serde_json::json!({ "scenarios": played, "as_expected": as_expected }));
        } else {
            println!("\ndemo: {played} scenarios, {as_expected} as expected");
        }
    }

    fn line(&self, text: &str) {
        self.spinner.suspend(|| println!("{text}"));
    }
}
