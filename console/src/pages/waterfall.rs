//! What happened to an order, drawn against time: a row for each event and each attempt that failed.

use maud::{Markup, html};
use shop::explain::{Reached, Step, What};

use crate::plot::{number, scaled};

const ROW: u32 = 24;
const NAMES: f64 = 330.0;
const WIDTH: f64 = 1_000.0;
const TAIL: f64 = 130.0;

/// From the first step to the last one.
pub(super) fn waterfall(steps: &[Step]) -> Markup {
    let Some((first, last)) = steps.first().zip(steps.last()) else { return html! {} };
    let whole = micros(last.at - first.at).max(1);
    let room = WIDTH - NAMES - TAIL;
    let height = ROW * u32::try_from(steps.len()).unwrap_or(u32::MAX / ROW) + 8;
    let befores = std::iter::once(first).chain(steps);
    html! {
        h2 { "What happened, and how long it took" }
        div.wide tabindex="0" role="region" aria-label="The course of the order; the events below say the same" {
            svg.waterfall viewBox={ "0 0 " (WIDTH) " " (height) } width=(WIDTH) height=(height) {
                @for (at, (before, step)) in (0_u32..).zip(befores.zip(steps)) {
                    @let y = f64::from(at * ROW) + 16.0;
                    @let since = micros(before.at - first.at);
                    @let until = micros(step.at - first.at);
                    @let (from, to) = (NAMES + scaled(since, whole) * room, NAMES + scaled(until, whole) * room);
                    g {
                        title { (said(step)) }
                        text.service x="8" y=(number(y)) { (step.service) }
                        text x="103" y=(number(y)) class=(class(step)) { (name(step)) }
                        line.gap x1=(number(from)) x2=(number(to)) y1=(number(y - 4.0)) y2=(number(y - 4.0)) {}
                        circle class=(class(step)) cx=(number(to)) cy=(number(y - 4.0)) r="4" {}
                        text.soft x=(number(to + 8.0)) y=(number(y)) { (millis(until)) @if until > since { " (+" (millis(until - since)) ")" } }
                    }
                }
            }
        }
    }
}

fn micros(time: time::Duration) -> i64 {
    i64::try_from(time.whole_microseconds()).unwrap_or(i64::MAX)
}

fn millis(micros: i64) -> String {
    let ms = micros / 1_000;
    if ms < 10_000 { format!("{ms} ms") } else { crate::words::span(ms / 1_000) }
}

fn name(step: &Step) -> String {
    match &step.what {
        What::Event(happened) => happened.name().to_owned(),
        What::Attempt(attempt) => format!("{} {}, attempt {}", attempt.kind, attempt.action, attempt.attempt),
    }
}

fn class(step: &Step) -> &'static str {
    match &step.what {
        What::Attempt(_) => "failed",
        What::Event(happened) if happened.readers.iter().any(|reader| reader.reached == Reached::Parked) => "failed",
        What::Event(happened) if happened.compensates => "compensation",
        What::Event(_) => "event",
    }
}

fn said(step: &Step) -> String {
    match &step.what {
        What::Attempt(attempt) => format!("failed: {}", attempt.error),
        What::Event(happened) => {
            let readers = happened.readers.iter().map(|reader| {
                let reached = match reader.reached {
                    Reached::Handled => "handled",
                    Reached::NotYet => "not yet handled",
                    Reached::Parked => "in quarantine",
                    Reached::Unknown => "not known",
                };
                format!("{}: {reached}", reader.service)
            });
            readers.chain([happened.remark.clone()]).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
        }
    }
}
