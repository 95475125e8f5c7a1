//! How things are put on pages.

use maud::{Markup, html};
use prost_types::{Duration, Timestamp};
use shop::dynamic_json;

/// `OrderPlaced` of `tradewind.ordering.v1.OrderPlaced`.
pub(crate) fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

/// What an event says, over several lines and without what is sensitive, or why it cannot be read.
pub(crate) fn body(event: &str, payload: &[u8]) -> String {
    let said = dynamic_json(event, payload).and_then(|_| dynamic_json(event, &contracts::shown(event, payload)));
    said.map_or_else(|error| format!("cannot be read by this build: {error:#}"), |said| format!("{said:#}"))
}

/// A time for people and programs.
pub(crate) fn time(time: Option<&Timestamp>) -> Markup {
    let Some(time) = time else { return html! { "-" } };
    let text = Timestamp { seconds: time.seconds, nanos: 0 }.to_string();
    html! { time datetime=(time) { (text.trim_end_matches('Z').replace('T', " ")) } }
}

/// So many seconds, in the two largest units: `3h 12m`.
pub(crate) fn span(seconds: i64) -> String {
    let text = humantime::format_duration(std::time::Duration::from_secs(seconds.unsigned_abs())).to_string();
    let mut parts = text.split(' ');
    let two: Vec<_> = parts.by_ref().take(2).collect();
    two.join(" ")
}

/// A time that calls take: `12.3 ms`.
pub(crate) fn millis(duration: Option<&Duration>) -> String {
    let Some(Duration { seconds, nanos }) = duration else { return "-".to_owned() };
    let ms = *seconds * 1_000 + i64::from(*nanos) / 1_000_000;
    if ms < 10 {
        return format!("{}.{} ms", ms, i64::from(*nanos) / 100_000 % 10);
    }
    if ms < 10_000 { format!("{ms} ms") } else { span(ms / 1_000) }
}

/// A number with spaces between thousands.
pub(crate) fn count(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// The link to an order.
pub(crate) fn order(order_id: &str) -> Markup {
    html! { a href={ "/console/orders/" (order_id) } { code { (order_id) } } }
}

/// A query of these names and values, without those that are empty.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<_> = pairs.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

fn encoded(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Says that a list goes on where it does, and leads to its next page; `token` is what that is asked by, and its name in the path.
pub(crate) fn next(what: &str, path: &str, pairs: &[(&str, &str)], token: (&str, &str)) -> Markup {
    let all: Vec<_> = pairs.iter().copied().chain([token]).collect();
    html! { @if !token.1.is_empty() { (more(what, Some(&format!("{path}{}", query(&all))))) } }
}

/// Says that there is more than is shown, and leads there where it can be asked for.
pub(crate) fn more(what: &str, to: Option<&str>) -> Markup {
    html! {
        p.more {
            "There are more " (what) "."
            @if let Some(to) = to { " " a rel="next" href=(to) { "Next page" } }
        }
    }
}

/// Who could not be asked, and why.
pub(crate) fn away<'a>(away: impl IntoIterator<Item = (&'a &'a str, &'a String)>) -> Markup {
    html! {
        @for (service, error) in away {
            p.fault role="alert" { b { (service) } " cannot be asked: " (error) }
        }
    }
}
