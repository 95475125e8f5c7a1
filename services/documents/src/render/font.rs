//! The fonts that documents are set in, and what they have for a character.

use std::sync::LazyLock;

use ttf_parser::{Face as Parsed, GlyphId};

/// Shown in place of what no font has; its glyph is a box.
const UNKNOWN: char = char::REPLACEMENT_CHARACTER;

/// Which font.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Font {
    /// Latin, Greek and Cyrillic.
    Regular,
    /// The same in bold.
    Bold,
    /// Chinese, Japanese and Korean.
    Han,
}

/// A font as it is part of the program.
pub(super) struct Face {
    /// Its file.
    pub(super) bytes: &'static [u8],
    /// What it is called within a document.
    pub(super) name: &'static str,
    pub(super) parsed: Parsed<'static>,
}

/// In the order of [`Font`].
static FACES: LazyLock<[Face; 3]> = LazyLock::new(|| {
    [
        Face::of("NotoSans-Regular", include_bytes!("../../fonts/NotoSans-Regular.ttf")),
        Face::of("NotoSans-Bold", include_bytes!("../../fonts/NotoSans-Bold.ttf")),
        Face::of("DroidSansFallback", include_bytes!("../../fonts/DroidSansFallback.ttf")),
    ]
});

impl Face {
    #[expect(clippy::expect_used, reason = "the fonts are part of the program")]
    fn of(name: &'static str, bytes: &'static [u8]) -> Self {
        Self { bytes, name, parsed: Parsed::parse(bytes, 0).expect("a font") }
    }

    /// Units of the font as thousandths of its size.
    pub(super) fn thousandths(&self, units: impl Into<i64>) -> i64 {
        units.into() * 1000 / i64::from(self.parsed.units_per_em().max(1))
    }
}

/// A character as a font has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) font: Font,
    /// What it stands for.
    pub(super) char: char,
    /// Its number in the font.
    pub(super) id: u16,
    /// How wide it is, in thousandths of the size.
    pub(super) advance: i64,
}

impl Font {
    pub(super) fn face(self) -> &'static Face {
        let [regular, bold, han] = &*FACES;
        match self {
            Self::Regular => regular,
            Self::Bold => bold,
            Self::Han => han,
        }
    }
}

impl Glyph {
    /// What stands for a character: of the first font that has it, or a box.
    pub(super) fn of(char: char, bold: bool) -> Self {
        let first = if bold { Font::Bold } else { Font::Regular };
        let found = [first, Font::Regular, Font::Han]
            .into_iter()
            .find_map(|font| Some((font, font.face().parsed.glyph_index(char).filter(|id| id.0 != 0)?)));
        let (font, char, id) = match found {
            Some((font, id)) => (font, char, id),
            None => (Font::Regular, UNKNOWN, GlyphId(0)),
        };
        let advance = font.face().parsed.glyph_hor_advance(id).unwrap_or_default();
        Self { font, char, id: id.0, advance: font.face().thousandths(advance) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_of_customers_have_glyphs_and_what_has_none_is_a_box() {
        for text in
            ["Ångström ıŁőÑß", "Ωμέγα ΐ", "Щедрость Їґ", "烏龍茶 龍 亀", "ウーロン茶 ひらがな", "우롱차", "€£¥₩₽"]
        {
            for char in text.chars() {
                assert_ne!(Glyph::of(char, false).id, 0, "{char} of {text}");
                assert_ne!(Glyph::of(char, true).id, 0, "{char} of {text} in bold");
            }
        }
        for char in ['\u{e000}', '\u{10ffff}', '𓀀'] {
            let shown = Glyph::of(char, true);
            assert_eq!((shown.font, shown.id, shown.char), (Font::Regular, 0, UNKNOWN));
        }
    }
}
