//! How the text of each setting becomes its value; every refusal repeats the text, unless it may hold a password.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use tracing_subscriber::EnvFilter;
use tradewind_domain::Sensitive;

use super::{LogFormat, Signals};

pub(super) const TRUST_DOMAIN: &str = "tradewind.local";
pub(super) const WORKERS: usize = 2;

type Parsed<T> = Result<T, String>;

pub(super) fn address(text: &str) -> Parsed<SocketAddr> {
    text.parse().map_err(|_| format!("{text:?} is not an address:port"))
}

pub(super) fn file(text: &str) -> Parsed<PathBuf> {
    if text.is_empty() {
        return Err("is empty: a file is needed".into());
    }
    match std::fs::File::open(text) {
        Ok(_) => Ok(PathBuf::from(text)),
        Err(error) => Err(format!("{text:?} cannot be read: {error}")),
    }
}

pub(super) fn trust_domain(text: &str) -> Parsed<String> {
    let valid = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'));
    valid
        .then(|| text.to_owned())
        .ok_or_else(|| format!("{text:?} is not a trust domain (lower case, digits, '.', '-', '_')"))
}

pub(super) fn database(text: &str) -> Parsed<Sensitive<String>> {
    match tradewind_sql::check_database_url(text) {
        Ok(()) => Ok(text.to_owned().into()),
        Err(error) => Err(error.message),
    }
}

pub(super) fn partitions(text: &str) -> Parsed<Option<u16>> {
    match text.parse() {
        _ if text.is_empty() => Ok(None),
        Ok(count @ 1..=16) => Ok(Some(count)),
        _ => Err(format!("{text:?} is not a number of partitions from 1 to 16")),
    }
}

pub(super) fn broker(text: &str) -> Parsed<Sensitive<String>> {
    match tradewind_broker::check_broker_url(text) {
        Ok(()) => Ok(text.to_owned().into()),
        Err(error) => Err(error.message),
    }
}

pub(super) fn peer(text: &str) -> Parsed<(String, String)> {
    let (name, address) = text.split_once('=').ok_or_else(|| format!("{text:?} is not name=host:port"))?;
    let (name, address) = (name.trim(), address.trim());
    let valid = address
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0));
    if name.is_empty() || !valid {
        return Err(format!("{text:?} is not name=host:port"));
    }
    Ok((name.to_owned(), address.to_owned()))
}

pub(super) fn switch(text: &str) -> Parsed<bool> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

pub(super) fn instance(text: &str) -> Parsed<String> {
    let valid = text.len() <= 128 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    valid.then(|| text.to_owned()).ok_or_else(|| format!("{text:?} is not a name (letters, digits, '.', '-', '_')"))
}

pub(super) fn log_format(text: &str) -> Parsed<LogFormat> {
    match text {
        "json" => Ok(LogFormat::Json),
        "pretty" => Ok(LogFormat::Pretty),
        "auto" => Ok(LogFormat::Auto),
        _ => Err(format!("{text:?} is not json, pretty or auto")),
    }
}

pub(crate) fn log(text: &str) -> Parsed<String> {
    // The filter cuts a text at bytes, and panics where that is within a character.
    if !text.is_ascii() {
        return Err(format!("{text:?} is not a log filter: it is not ASCII"));
    }
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("{text:?} is not a log filter: {error}")),
    }
}

pub(super) fn duration(text: &str) -> Parsed<Duration> {
    humantime::parse_duration(text).map_err(|_| format!("{text:?} is not a duration such as 10s or 1m 30s"))
}

pub(super) fn workers(text: &str) -> Parsed<usize> {
    match text.parse() {
        Ok(workers @ 1..=512) => Ok(workers),
        _ => Err(format!("{text:?} is not a number of threads from 1 to 512")),
    }
}

pub(super) fn ratio(text: &str) -> Parsed<f64> {
    match text.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err(format!("{text:?} is not a number from 0 to 1")),
    }
}

pub(super) fn signals(text: &str) -> Parsed<Signals> {
    let mut signals = Signals::default();
    for signal in text.split(',').map(str::trim).filter(|signal| !signal.is_empty()) {
        match signal {
            "traces" => signals.traces = true,
            "metrics" => signals.metrics = true,
            "logs" => signals.logs = true,
            _ => return Err(format!("{signal:?} is none of traces, metrics and logs")),
        }
    }
    Ok(signals)
}

pub(super) fn endpoint(text: &str) -> Parsed<String> {
    let valid = text.starts_with("http://") || text.starts_with("https://");
    valid.then(|| text.to_owned()).ok_or_else(|| "is not an http:// or https:// URL".into())
}
