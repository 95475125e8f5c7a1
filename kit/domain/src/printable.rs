//! Text of others as a terminal may be given it: nothing in it may move the cursor, forge a line or turn text round.

use std::borrow::Cow;

/// A text from elsewhere with everything escaped that a terminal obeys or hides: control characters, line ends among them,
/// and characters that turn text round or have no width.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden, |one, into| into.extend(one.escape_default()))
}

/// Whether a text is its [`printable`] form.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    !text.chars().any(is_hidden)
}

/// The text of a JSON document with the same characters in JSON's own escapes. They can only stand within its strings; its
/// line ends are its own.
#[must_use]
pub fn printable_json(text: &str) -> Cow<'_, str> {
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

#[cfg(test)]
mod tests {
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
}
