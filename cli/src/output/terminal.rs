//! The only way out of this program: every line that reaches standard output or standard error goes through here.
//!
//! Much of what is printed was written by others: names of products, reasons, texts from outside, file contents. Nothing of it
//! may move the cursor, forge a line or turn text round, so a line is escaped as a whole, whoever wrote which part of it.

use std::borrow::Cow;
use std::fmt;
use std::io::{ErrorKind, Write as _, stderr, stdout};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Whoever read standard output has gone. There is nobody left to tell, so a command ends with it, quietly.
#[derive(Debug)]
pub(crate) struct NobodyListens;

impl fmt::Display for NobodyListens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output is closed")
    }
}

impl std::error::Error for NobodyListens {}

/// Prints one line on standard output, as [`line`] does.
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
/// As of [`line`].
pub(crate) fn document(value: &Value) -> Result<()> {
    write(&as_json(&format!("{value:#}")))
}

/// Prints a document for programs on one line.
///
/// # Errors
/// As of [`line`].
pub(crate) fn json_line(value: &Value) -> Result<()> {
    write(&as_json(&value.to_string()))
}

/// Prints what went wrong on standard error, where that is still read; line ends in `text` are kept.
pub(crate) fn complain(text: &str) {
    let mut stderr = stderr().lock();
    for line in text.split('\n') {
        // Nothing is left to complain on.
        let _ = writeln!(stderr, "{}", printable(line));
    }
}

/// A text from elsewhere with everything escaped that a terminal obeys or hides: control characters, line ends among them,
/// and characters that turn text round or have no width.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden, |one, into| into.extend(one.escape_default()))
}

/// Whether a text is its [`printable`] form.
pub(crate) fn is_printable(text: &str) -> bool {
    !text.chars().any(is_hidden)
}

/// The text of a JSON document with the same characters in JSON's own escapes. They can only stand within its strings; its
/// line ends are its own.
fn as_json(text: &str) -> Cow<'_, str> {
    let hidden = |one| one != '\n' && is_hidden(one);
    escaped(text, hidden, |one, into| {
        let units = one.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
        into.push_str(&units);
    })
}

fn escaped(text: &str, hidden: impl Fn(char) -> bool, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.chars().any(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for one in text.chars() {
        if hidden(one) { escape(one, &mut shown) } else { shown.push(one) }
    }
    Cow::Owned(shown)
}

/// Control characters (C0, DEL, C1), bidirectional controls, line and paragraph separators, and what has no width. The
/// joiners stay: emoji and several scripts are written with them.
fn is_hidden(one: char) -> bool {
    one.is_control()
        || matches!(
            one,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0001}'
        )
}

fn write(text: &str) -> Result<()> {
    let mut stdout = stdout().lock();
    let written =
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(NobodyListens.into()),
        other => other.context("cannot write to standard output"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_an_escape() {
        for (text, shown) in [
            ("\u{1b}[2J\u{1b}]0;owned\u{7}", "\\u{1b}[2J\\u{1b}]0;owned\\u{7}"),
            ("line\nOK all is well\r", "line\\nOK all is well\\r"),
            ("\u{202e}gnp.exe", "\\u{202e}gnp.exe"),
            ("a\u{200b}b\u{2066}c\u{9b}31m\u{7f}", "a\\u{200b}b\\u{2066}c\\u{9b}31m\\u{7f}"),
        ] {
            assert_eq!(printable(text), shown);
        }
        for text in ["O’Neil 이 Ng é", "e\u{301}", "👩\u{200d}🚀", "C:\\x \"quoted\" $HOME", "نعم"] {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn json_stays_json_of_the_same_value() {
        let value = serde_json::json!({ "a": "\u{1b}[31m\n\u{202e}\u{9b}\u{e0001}\u{7f}é\\", "b": ["x"] });
        for text in [format!("{value:#}"), value.to_string()] {
            let shown = as_json(&text);
            assert!(!shown.chars().any(|one| one != '\n' && is_hidden(one)), "{shown}");
            assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
