//! `tradewind top`: the shop as it is, again and again.

mod draw;

use std::collections::VecDeque;
use std::io::{IsTerminal as _, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use ratatui::crossterm::event::{Event, KeyCode, KeyModifiers, poll, read};
use serde_json::json;
use shop::{Clients, Orders, Rates, Survey};

use crate::output::{json_line, say};
use crate::{Global, clients};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often everybody is asked.
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    every: Duration,
    /// End after so many times; until it is told to where it is left out.
    #[arg(long, value_name = "NUMBER")]
    count: Option<u64>,
}

/// More often would be a load of its own.
const OFTENEST: Duration = Duration::from_millis(100);
/// How many are remembered for the line of orders.
const REMEMBERED: usize = 120;

/// What is shown.
struct Shown {
    survey: Survey,
    rates: Rates,
    /// Orders a second that were placed, the last at the end.
    placed: VecDeque<u64>,
}

pub(crate) async fn run(global: Global, Args { every, count }: Args) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    let every = every.max(OFTENEST);
    let first = Survey::ask(&shop).await;
    let mut shown = Shown { rates: Rates::default(), survey: first, placed: VecDeque::new() };
    if global.json || !stdout().is_terminal() {
        let mut left = count;
        while left.is_none_or(|left| left > 0) {
            left = left.map(|left| left - 1);
            tokio::time::sleep(every).await;
            shown.next(&shop).await;
            if global.json { json_line(&facts(&shown))? } else { lines(&shown)? }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut terminal = ratatui::try_init()?;
    let watched = watch(&mut terminal, &shop, &mut shown, every, count).await;
    ratatui::try_restore()?;
    watched.map(|()| ExitCode::SUCCESS)
}

impl Shown {
    async fn next(&mut self, shop: &Clients) {
        let survey = Survey::ask(shop).await;
        self.rates = survey.since(&self.survey);
        self.survey = survey;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is small and no debt")]
        self.placed.push_back(self.rates.placed.round() as u64);
        if self.placed.len() > REMEMBERED {
            self.placed.pop_front();
        }
    }
}

async fn watch(
    terminal: &mut ratatui::DefaultTerminal,
    shop: &Clients,
    shown: &mut Shown,
    every: Duration,
    count: Option<u64>,
) -> Result<()> {
    let mut left = count;
    while left.is_none_or(|left| left > 0) {
        left = left.map(|left| left - 1);
        terminal.draw(|frame| draw::draw(frame, shown))?;
        // Keys are waited for where nobody else is kept waiting.
        if tokio::task::spawn_blocking(move || is_ended(every)).await?? {
            return Ok(());
        }
        shown.next(shop).await;
    }
    Ok(())
}

/// Waits so long for somebody to say that it is enough.
fn is_ended(every: Duration) -> Result<bool> {
    let end = std::time::Instant::now() + every;
    loop {
        let left = end.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() || !poll(left)? {
            return Ok(false);
        }
        if let Event::Key(key) = read()? {
            let is_interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
            if is_interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc) {
                return Ok(true);
            }
        }
    }
}

/// The same as a line, where nobody looks at a terminal.
fn lines(Shown { survey, rates, .. }: &Shown) -> Result<()> {
    let Orders { waiting, stuck, or_more, .. } = survey.orders.clone().unwrap_or_default();
    let more = if or_more { " or more" } else { "" };
    let behind: u64 = survey.services.iter().filter_map(|(_, seen)| seen.behind).sum();
    let parked: u64 = survey.services.iter().map(|(_, seen)| seen.parked).sum();
    say!(
        "{:.1} placed, {:.1} confirmed, {:.1} cancelled a second; {waiting}{more} wait, {stuck} of them too long; {behind} events \
         behind, {parked} in quarantine",
        rates.placed,
        rates.confirmed,
        rates.cancelled
    )?;
    troubles(survey).iter().try_for_each(|trouble| say!("  {trouble}"))
}

/// What an operator should know of.
fn troubles(survey: &Survey) -> Vec<String> {
    let away = survey.away.iter().map(|(service, error)| format!("{service} does not answer: {error}"));
    let of_each = |(service, seen): &(String, shop::Seen)| {
        let service = service.clone();
        seen.troubles.clone().into_iter().map(move |trouble| format!("{service}: {trouble}"))
    };
    away.chain(survey.services.iter().flat_map(of_each)).collect()
}

fn facts(Shown { survey, rates, .. }: &Shown) -> serde_json::Value {
    let service = |(name, seen): &(String, shop::Seen)| {
        let (calls, events) = rates.services.get(name).copied().unwrap_or_default();
        json!({
            "service": name, "calls_per_second": calls, "events_per_second": events, "in_flight": seen.in_flight,
            "limit": seen.limit, "waiting": seen.waiting, "behind": seen.behind, "parked": seen.parked,
            "troubles": seen.troubles,
        })
    };
    let orders = survey.orders.as_ref().map(|orders| {
        let steps: serde_json::Map<_, _> =
            orders.steps.iter().map(|(step, count)| (step.clone(), json!(count))).collect();
        json!({ "steps": steps, "cancelled": orders.cancelled, "waiting": orders.waiting, "stuck": orders.stuck, "or_more": orders.or_more })
    });
    json!({
        "placed_per_second": rates.placed, "confirmed_per_second": rates.confirmed,
        "cancelled_per_second": rates.cancelled, "orders": orders, "away": survey.away,
        "services": survey.services.iter().map(service).collect::<Vec<_>>(),
    })
}
