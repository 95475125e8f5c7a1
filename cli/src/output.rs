//! How results and errors are shown: text for people, JSON for programs.

mod terminal;

use anyhow::Result;
use prost::{Message, Name};

pub(crate) use shop::{dynamic_json, explain_error as explain, json, moment, money, of_each, word};
pub(crate) use terminal::{NobodyListens, complain, document, file, json_line, line, say};

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
