//! How results and errors are shown: text for people, JSON for programs.

mod terminal;

use std::collections::BTreeMap;

use anyhow::Result;
use prost::{Message, Name};

pub(crate) use shop::{dynamic_json, explain_error as explain, json, moment, money, word};
pub(crate) use terminal::{NobodyListens, complain, document, file, json_line, line, say};

/// What every one of `services` answers, in their order, and what is wrong with those that don't.
pub(crate) async fn of_each<'a, T>(
    services: &[&'a str],
    ask: impl AsyncFn(&'a str) -> Result<T>,
) -> (Vec<(&'a str, T)>, BTreeMap<&'a str, String>) {
    shop::of_each(services.iter().map(|service| (*service, ask(service)))).await
}

/// Prints a message as JSON, indented.
///
/// # Errors
/// When the message is not part of the contracts, or as of [`line()`].
pub(crate) fn print_json<M: Message + Name>(message: &M) -> Result<()> {
    document(&json(message)?)
}

/// Prints where the next page begins, if there is one.
///
/// # Errors
/// As of [`line()`].
pub(crate) fn more(next_page_token: &str) -> Result<()> {
    if next_page_token.is_empty() { Ok(()) } else { say!("more: --page-token {next_page_token}") }
}
