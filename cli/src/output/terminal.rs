//! The only way out of this program: every line that reaches standard output or standard error goes through here.
//!
//! Much of what is printed was written by others: names of products, reasons, texts from outside, file contents. Nothing of it
//! may move the cursor, forge a line or turn text round, so a line is escaped as a whole, whoever wrote which part of it.

use std::fmt;
use std::io::{ErrorKind, StdoutLock, Write as _, stderr, stdout};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tradewind_domain::{printable, printable_json};

/// Whoever read standard output has gone. There is nobody left to tell, so a command ends with it, quietly.
#[derive(Debug)]
pub(crate) struct NobodyListens;

impl fmt::Display for NobodyListens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output is closed")
    }
}

impl std::error::Error for NobodyListens {}

/// Prints one line on standard output, as [`line()`] does.
macro_rules! say {
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Prints one line for people; what cannot be seen in it is shown as an escape.
///
/// # Errors
/// [`NobodyListens`], or when standard output cannot be written.
pub(crate) fn line(text: fmt::Arguments<'_>) -> Result<()> {
    write(&printable(&text.to_string()))
}

/// Prints a document for programs, indented.
///
/// # Errors
/// As of [`line()`].
pub(crate) fn document(value: &Value) -> Result<()> {
    write(&printable_json(&format!("{value:#}")))
}

/// Prints a document for programs on one line.
///
/// # Errors
/// As of [`line()`].
pub(crate) fn json_line(value: &Value) -> Result<()> {
    write(&printable_json(&value.to_string()))
}

/// Prints what went wrong on standard error, where that is still read; line ends in `text` are kept.
pub(crate) fn complain(text: &str) {
    let mut stderr = stderr().lock();
    for line in text.split('\n') {
        // Nothing is left to complain on.
        let _ = writeln!(stderr, "{}", printable(line));
    }
}

/// Writes a file to standard output as it is, which is for a program to read.
///
/// # Errors
/// As of [`line()`].
pub(crate) fn file(bytes: &[u8]) -> Result<()> {
    written(stdout().lock(), &[bytes])
}

fn write(text: &str) -> Result<()> {
    written(stdout().lock(), &[text.as_bytes(), b"\n"])
}

fn written(mut stdout: StdoutLock<'_>, parts: &[&[u8]]) -> Result<()> {
    let written = parts.iter().try_for_each(|part| stdout.write_all(part)).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(NobodyListens.into()),
        other => other.context("cannot write to standard output"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tradewind_domain::is_printable;

    use super::*;

    #[test]
    fn json_stays_json_of_the_same_value() {
        let value = serde_json::json!({ "a": "\u{1b}[31m\n\u{202e}\u{9b}\u{e0001}\u{7f}é\\", "b": ["x"] });
        for text in [format!("{value:#}"), value.to_string()] {
            let shown = printable_json(&text);
            assert!(shown.split('\n').all(is_printable), "{shown}");
            assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
