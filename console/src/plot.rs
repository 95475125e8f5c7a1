//! Drawings, as text that a browser draws.

use maud::{Markup, html};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 180.0;
const FOOT: f64 = 20.0;
const WIDEST: f64 = 48.0;

/// A bar for each value, with what is said of it; what is drawn darker is a part of it.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: i64,
    pub(crate) part: i64,
    pub(crate) said: String,
}

/// Bars side by side, none where there are none. The table beside it says the same to whoever does not see it.
pub(crate) fn bars(title: &str, bars: &[Bar]) -> Markup {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or_default().max(1);
    let width = (WIDTH / f64::from(u32::try_from(bars.len().max(1)).unwrap_or(1))).min(WIDEST);
    let height = |value: i64| scaled(value, most) * (HEIGHT - FOOT);
    let every = bars.len().div_ceil(12).max(1);
    html! {
        @if !bars.is_empty() {
            svg.bars viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(title) {
                @for (at, bar) in (0_u32..).zip(bars) {
                    @let x = width * f64::from(at);
                    g {
                        title { (bar.said) }
                        rect.bar x=(number(x + 1.0)) y=(number(HEIGHT - FOOT - height(bar.value))) width=(number((width - 2.0).max(1.0))) height=(number(height(bar.value))) {}
                        rect.part x=(number(x + 1.0)) y=(number(HEIGHT - FOOT - height(bar.part))) width=(number((width - 2.0).max(1.0))) height=(number(height(bar.part))) {}
                        @if usize::try_from(at).is_ok_and(|at| at % every == 0) {
                            text x=(number(x + 1.0)) y=(number(HEIGHT - 5.0)) { (bar.label) }
                        }
                    }
                }
            }
        }
    }
}

/// How much of `most` that is, from 0 to 1, as exact as a drawing needs.
pub(crate) fn scaled(value: i64, most: i64) -> f64 {
    let thousandths = i128::from(value.max(0)) * 10_000 / i128::from(most.max(1));
    f64::from(u32::try_from(thousandths.min(10_000)).unwrap_or(10_000)) / 10_000.0
}

/// A coordinate.
pub(crate) fn number(value: f64) -> String {
    format!("{value:.1}")
}
