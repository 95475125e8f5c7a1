//! How the shop is shown in a terminal.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Sparkline, Table, Wrap};
use shop::{Orders, Seen};
use tradewind_domain::printable;

use super::{Shown, troubles};

/// Rows of the line of orders.
const SPARK: u16 = 4;

pub(super) fn draw(frame: &mut Frame<'_>, shown: &Shown) {
    let troubles = troubles(&shown.survey);
    let services = u16::try_from(shown.survey.services.len()).unwrap_or(u16::MAX).saturating_add(3);
    let areas = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(SPARK),
        Constraint::Length(8),
        Constraint::Length(services),
        Constraint::Min(2),
    ]);
    let [head, spark, steps, table, told] = areas.areas(frame.area());
    frame.render_widget(line(shown), head);
    frame.render_widget(placed(shown, spark), spark);
    frame.render_widget(taken(shown), steps);
    frame.render_widget(each(shown), table);
    frame.render_widget(said(&troubles), told);
}

fn line(Shown { survey, rates, .. }: &Shown) -> Line<'static> {
    let Orders { waiting, stuck, or_more, .. } = survey.orders.clone().unwrap_or_default();
    let more = if or_more { " or more" } else { "" };
    let late = if stuck > 0 { format!("{stuck} too long").red().bold() } else { "none too long".green() };
    Line::from(vec![
        "tradewind top".bold(),
        format!(
            "   {:.1} confirmed, {:.1} cancelled a second; {waiting}{more} wait, ",
            rates.confirmed, rates.cancelled
        )
        .into(),
        late,
        Span::styled("   q ends", Style::new().dim()),
    ])
}

fn placed(shown: &Shown, area: Rect) -> Sparkline<'static> {
    let title = format!(" {:.1} orders placed a second ", shown.rates.placed);
    let room = usize::from(area.width.saturating_sub(2));
    let last: Vec<u64> = shown.placed.iter().skip(shown.placed.len().saturating_sub(room)).copied().collect();
    Sparkline::default().block(Block::bordered().title(title)).style(Color::Cyan).data(last)
}

fn taken(shown: &Shown) -> Table<'static> {
    let orders = shown.survey.orders.clone().unwrap_or_default();
    let row = |(step, count): &(String, i64)| {
        let time = orders.times.iter().find(|(of, ..)| of == step);
        let millis = |time: std::time::Duration| format!("{} ms", time.as_millis());
        let (p50, p95) = time.map_or_else(Default::default, |(_, p50, p95)| (millis(*p50), millis(*p95)));
        Row::new([step.replace('_', " "), count.to_string(), p50, p95])
    };
    let rows: Vec<_> = orders.steps.iter().map(row).collect();
    let widths = [Constraint::Length(18), Constraint::Length(10), Constraint::Length(10), Constraint::Length(10)];
    let head = Row::new(["orders of late", "", "p50", "p95"]).bold();
    Table::new(rows, widths).header(head)
}

fn each(shown: &Shown) -> Table<'static> {
    let row = |(name, seen): &(String, Seen)| {
        let (calls, events) = shown.rates.services.get(name).copied().unwrap_or_default();
        let behind = seen.behind.map_or_else(|| "?".to_owned(), |behind| behind.to_string());
        let parked = Cell::from(seen.parked.to_string());
        let parked = if seen.parked > 0 { parked.style(Style::new().red().bold()) } else { parked };
        Row::new([
            Cell::from(name.clone()),
            Cell::from(format!("{calls:.1}")),
            Cell::from(format!("{} of {}", seen.in_flight, seen.limit)),
            Cell::from(seen.waiting.to_string()),
            Cell::from(format!("{events:.1}")),
            Cell::from(behind),
            parked,
        ])
    };
    let rows: Vec<_> = shown.survey.services.iter().map(row).collect();
    let widths = [14, 10, 12, 8, 10, 10, 12].map(Constraint::Length);
    let head = ["service", "calls/s", "at once", "wait", "events/s", "behind", "quarantine"];
    Table::new(rows, widths).header(Row::new(head).bold()).block(Block::new())
}

fn said(troubles: &[String]) -> Paragraph<'static> {
    if troubles.is_empty() {
        return Paragraph::new("Nothing is paused, stuck or left alone.".green());
    }
    let lines: Vec<_> = troubles.iter().map(|trouble| Line::from(printable(trouble).into_owned()).red()).collect();
    Paragraph::new(lines).wrap(Wrap { trim: false })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
    use std::collections::{BTreeMap, VecDeque};
    use std::time::Duration;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use shop::{Rates, Survey};
    use tokio::time::Instant;

    use super::*;

    fn screen(shown: &Shown, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, shown)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let rows = buffer.content.chunks(usize::from(width));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned())
            .collect()
    }

    fn shown() -> Shown {
        let seen = Seen { calls: 10, in_flight: 3, limit: 256, behind: Some(7), parked: 2, ..Seen::default() };
        let seen = Seen { troubles: vec!["payment is paused by operator: \u{202e}repair".to_owned()], ..seen };
        let steps = [("placed", 40), ("stock_confirmed", 38)].map(|(step, count)| (step.to_owned(), count)).to_vec();
        let times = vec![("stock_confirmed".to_owned(), Duration::from_millis(12), Duration::from_millis(80))];
        let orders = Orders { steps, times, cancelled: 1, waiting: 5, stuck: 1, or_more: true };
        let survey = Survey {
            at: Instant::now(),
            services: vec![("payment".to_owned(), seen)],
            away: BTreeMap::from([("shipping".to_owned(), "connection refused".to_owned())]),
            orders: Some(orders),
        };
        let services = BTreeMap::from([("payment".to_owned(), (12.5, 30.0))]);
        let rates = Rates { placed: 4.0, confirmed: 3.5, cancelled: 0.5, services };
        Shown { survey, rates, placed: VecDeque::from([1, 4, 2]) }
    }

    #[test]
    fn a_screen_tells_of_orders_services_and_troubles() {
        let screen = screen(&shown(), 100, 24).join("\n");
        for text in [
            "3.5 confirmed, 0.5 cancelled a second; 5 or more wait, 1 too long",
            "4.0 orders placed a second",
            "stock confirmed    38         12 ms      80 ms",
            "payment        12.5       3 of 256     0        30.0       7          2",
            "shipping does not answer: connection refused",
            "payment: payment is paused by operator: \\u{202e}repair",
        ] {
            assert!(screen.contains(text), "{text:?} in\n{screen}");
        }
    }

    #[test]
    fn a_screen_may_be_of_any_size() {
        for (width, height) in [(1, 1), (20, 3), (80, 10), (500, 200)] {
            assert_eq!(screen(&shown(), width, height).len(), usize::from(height));
        }
    }
}
