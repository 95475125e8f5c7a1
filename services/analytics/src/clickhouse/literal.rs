//! Texts of others in a statement.

use std::fmt::Write as _;

/// A text as a literal, whatever is in it: every value that is no number goes through here.
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for char in text.chars() {
        match char {
            '\'' | '\\' => literal.extend(['\\', char]),
            // No server has to agree on what it does with these; writing to a string does not fail.
            '\0'..=' ' if char != ' ' => _ = write!(literal, "\\x{:02x}", u32::from(char)),
            '\x7f' => literal.push_str("\\x7f"),
            _ => literal.push(char),
        }
    }
    literal.push('\'');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_its_literal() {
        for (text, expected) in [
            ("", "''"),
            ("tea", "'tea'"),
            ("a'b", r"'a\'b'"),
            (r"a\", r"'a\\'"),
            (r"\'; DROP TABLE x --", r"'\\\'; DROP TABLE x --'"),
            ("a\0b\n\t\r\x7f", r"'a\x00b\x0a\x09\x0d\x7f'"),
            ("日本 😀", "'日本 😀'"),
        ] {
            assert_eq!(literal(text), expected, "{text:?}");
        }
        for char in (0..=0x7f_u8).map(char::from) {
            let literal = literal(&char.to_string());
            let within = &literal[1..literal.len() - 1];
            let is_plain = !matches!(char, '\'' | '\\') && !char.is_control();
            assert_eq!(within == char.to_string(), is_plain, "{literal}");
            assert!(!within.chars().any(char::is_control), "{literal}");
        }
    }
}
