//! Texts as lines of glyphs.

use tradewind_domain::printable;
use unicode_normalization::UnicodeNormalization;

use super::font::{Font, Glyph};

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) bold: bool,
    /// Height of the type.
    pub(super) size: i64,
    /// From black, 0, to white, 100.
    pub(super) grey: u8,
}

/// What most is set in.
pub(super) const BODY: Style = Style { bold: false, size: 9_000, grey: 0 };
/// What is to be found first.
pub(super) const STRONG: Style = Style { bold: true, ..BODY };
/// What says what something is.
pub(super) const QUIET: Style = Style { bold: false, size: 7_500, grey: 45 };
/// What the page is.
pub(super) const TITLE: Style = Style { bold: true, size: 20_000, grey: 0 };

impl Style {
    /// From one line to the next.
    pub(super) const fn leading(self) -> i64 {
        self.size * 7 / 5
    }

    /// Whether as many glyphs of this size as `advance` has are wider than `width`.
    const fn width(self, advance: i64) -> i64 {
        advance * self.size / 1000
    }
}

/// Glyphs that stand in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) glyphs: Vec<Glyph>,
    /// How wide they are together, in thousandths of their size.
    advance: i64,
}

impl Line {
    /// A text in one line, however long it becomes.
    pub(super) fn of(text: &str, style: Style) -> Self {
        let mut line = Self::default();
        clean(text).for_each(|char| line.push(Glyph::of(char, style.bold)));
        line
    }

    /// How wide it is.
    pub(super) const fn width(&self, style: Style) -> i64 {
        style.width(self.advance)
    }

    fn push(&mut self, glyph: Glyph) {
        self.advance += glyph.advance;
        self.glyphs.push(glyph);
    }

    /// Takes what follows its first `kept` glyphs away; spaces stand at neither side of the break.
    fn split_off(&mut self, kept: usize) -> Self {
        let rest = self.glyphs.split_off(kept);
        while self.glyphs.pop_if(|last| last.char == ' ').is_some() {}
        let measured = |glyphs: Vec<Glyph>| Self { advance: glyphs.iter().map(|glyph| glyph.advance).sum(), glyphs };
        *self = measured(std::mem::take(&mut self.glyphs));
        measured(rest.into_iter().skip_while(|glyph| glyph.char == ' ').collect())
    }
}

/// A text in lines that are no wider than `width`, of which there is at least one: it breaks at spaces, beside Chinese, Japanese and
/// Korean characters, and anywhere within a word that is wider.
pub(super) fn wrapped(text: &str, style: Style, width: i64) -> Vec<Line> {
    let (mut lines, mut line, mut place) = (Vec::new(), Line::default(), 0);
    for char in clean(text) {
        let glyph = Glyph::of(char, style.bold);
        let before = line.glyphs.last();
        if before.is_some_and(|before| before.char == ' ' || before.font == Font::Han || glyph.font == Font::Han) {
            place = line.glyphs.len();
        }
        if style.width(line.advance + glyph.advance) > width && glyph.char != ' ' && !line.glyphs.is_empty() {
            let rest = line.split_off(if place == 0 { line.glyphs.len() } else { place });
            lines.push(std::mem::replace(&mut line, rest));
            place = 0;
        }
        line.push(glyph);
    }
    lines.push(line);
    lines
}

/// The characters of a text that are shown: what would move or hide others is spelled out, letters and their marks are one where they can
/// be, and what only joins emoji and scripts that are not joined here is left out.
fn clean(text: &str) -> impl Iterator<Item = char> {
    let joins = |char: &char| matches!(char, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    printable(text).nfc().filter(move |char| !joins(char)).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: i64) -> Vec<String> {
        let lines = wrapped(text, BODY, width);
        assert!(lines.iter().all(|line| line.width(BODY) <= width || line.glyphs.len() == 1), "{text}");
        lines.iter().map(|line| line.glyphs.iter().map(|glyph| glyph.char).collect()).collect()
    }

    #[test]
    fn lines_break_at_spaces_beside_han_and_within_what_is_too_long() {
        assert_eq!(lines("Green tea from Uji", 50_000), ["Green tea", "from Uji"]);
        assert_eq!(lines("烏龍茶烏龍茶", 28_000), ["烏龍茶", "烏龍茶"]);
        assert_eq!(lines("mmmmmm", 25_000).concat(), "mmmmmm");
        assert_eq!(lines("", 10_000), [""]);
        assert_eq!(lines("mm", 1).concat(), "mm");
    }

    #[test]
    fn what_moves_text_is_spelled_out_and_marks_join_their_letters() {
        assert_eq!(lines("a\u{202e}b\n", 500_000), ["a\\u{202e}b\\n"]);
        assert_eq!(lines("e\u{301}", 500_000), ["é"]);
    }
}
