//! Text that people read: names, addresses, reasons. It shows something, and nothing in it hides, or turns what stands beside it.

use unicode_properties::{GeneralCategory as Category, GeneralCategoryGroup as Group, UnicodeGeneralCategory};

/// What [`is_text`] asks for, for people.
pub const TEXT_RULE: &str = "must show something, and hold no control, invisible or direction-changing characters";

/// The most marks on one letter: no language needs more, and a stack of them covers the lines around it.
const MOST_MARKS: usize = 10;

/// Tells whether `text` is one line that shows something, and holds nothing that is neither seen nor shapes what is.
#[must_use]
pub fn is_text(text: &str) -> bool {
    is_plain(text, |_| false) && text.chars().any(is_visible)
}

/// Tells the same of any number of lines, or none.
#[must_use]
pub fn is_text_of_lines(text: &str) -> bool {
    is_plain(text, |char| matches!(char, '\n' | '\r' | '\t'))
}

fn is_plain(text: &str, breaks: fn(char) -> bool) -> bool {
    let (mut before, mut marks) = (None, 0);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        marks = if char.general_category_group() == Group::Mark { marks + 1 } else { 0 };
        if marks > MOST_MARKS || !(breaks(char) || fits(before, char, chars.peek().copied())) {
            return false;
        }
        before = Some(char);
    }
    true
}

/// Tells whether `char` may stand between those two.
fn fits(before: Option<char>, char: char, after: Option<char>) -> bool {
    match char {
        // Persian and the scripts of India spell with joiners; pictures are put together by one of them.
        '\u{200c}' => before.is_some_and(is_joining),
        '\u{200d}' => before.is_some_and(is_joining) || before.is_some_and(is_picture) && after.is_some_and(is_picture),
        // Variants of what stands before: Han characters of names, pictures in colour, Mongolian letters.
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => before.is_some_and(is_visible),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(before, Some('\u{1820}'..='\u{18aa}')),
        // Flags of regions: a black flag and tags.
        '\u{e0020}'..='\u{e007f}' => matches!(before, Some('\u{1f3f4}' | '\u{e0020}'..='\u{e007e}')),
        // Marks of numbers and of ends of verses: shown, although they count as format characters.
        '\u{600}'..='\u{605}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{890}'
        | '\u{891}'
        | '\u{8e2}'
        | '\u{110bd}'
        | '\u{110cd}' => true,
        _ if is_hidden(char) => false,
        _ => match char.general_category() {
            Category::Unassigned => u32::from(char) & 0xfffe != 0xfffe && u32::from(char) < 0xe0000,
            Category::LineSeparator | Category::ParagraphSeparator => false,
            _ => char.general_category_group() != Group::Other,
        },
    }
}

/// What counts as a letter, a symbol or a mark, and is not seen.
const fn is_hidden(char: char) -> bool {
    matches!(
        char,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2065}' | '\u{3164}' | '\u{ffa0}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{fff8}' | '\u{fffc}' | '\u{1d159}'
    )
}

fn is_visible(char: char) -> bool {
    let shown = match char.general_category_group() {
        Group::Letter | Group::Number | Group::Punctuation | Group::Symbol => true,
        _ => char.general_category() == Category::Unassigned,
    };
    // The pattern without a dot is a space.
    shown && char != '\u{2800}' && !is_hidden(char)
}

/// What pictures are made of; those of a later Unicode are not assigned yet.
fn is_picture(char: char) -> bool {
    char == '\u{fe0f}'
        || matches!(char, '\u{e0020}'..='\u{e007f}')
        || char.general_category_group() == Group::Symbol
        || u32::from(char) >= 0x1f000 && char.general_category() == Category::Unassigned
}

/// A letter or mark of the scripts whose letters join: Arabic and its neighbours, those of India and south-east Asia, Mongolian.
const fn is_joining(char: char) -> bool {
    matches!(
        char,
        '\u{620}'..='\u{dff}' | '\u{f00}'..='\u{109f}' | '\u{1780}'..='\u{18af}' | '\u{a800}'..='\u{abff}'
            | '\u{fb50}'..='\u{fdcf}' | '\u{fe70}'..='\u{fefc}' | '\u{10a00}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_have_are_text() {
        for name in [
            "Ng",
            "O\u{2019}Neil",
            "이",
            "\u{110b}\u{1175}",
            "Jose\u{301}",
            "Nguyễn Thị Ánh",
            "🦊",
            "👩\u{200d}👩\u{200d}👧",
            "🏳\u{fe0f}\u{200d}🌈",
            "🇬🇧",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "1\u{fe0f}\u{20e3}",
            "محمد",
            "علی\u{200c}رضا",
            "שרה",
            "രാജന\u{d4d}\u{200d}",
            "ක\u{dca}\u{200d}ර",
            "葛\u{e0100}城",
            "山田\u{3000}太郎",
            "Anne\u{a0}Marie",
            "X Æ A-12",
            "Smith, J. (\"Jack\")",
            "๙๙ นางสาวปิ่น",
        ] {
            assert!(is_text(name), "{name:?}");
        }
    }

    #[test]
    fn what_shows_nothing_or_hides_something_is_none() {
        for text in [
            "",
            " ",
            "\u{3000}\u{a0}",
            "\u{200b}",
            "A\u{200b}B",
            "\u{202e}moc",
            "a\u{2066}b\u{2069}",
            "\u{feff}Ng",
            "Ng\u{200e}",
            "\u{200d}",
            "Ad\u{200c}min",
            "Ad\u{200d}min",
            "A\u{ad}B",
            "\u{3164}",
            "\u{115f}\u{1160}",
            "\u{2800}",
            "\u{301}",
            "\u{fe0f}",
            "A\u{e0041}",
            "a\nb",
            "a\u{2028}b",
            "a\0",
            "\u{1b}[31m",
            "\u{e000}",
            "\u{ffff}",
            "\u{85}",
            "a\u{180e}b",
        ] {
            assert!(!is_text(text), "{text:?}");
        }
        assert!(is_text(&format!("a{}", "\u{301}".repeat(10))) && !is_text(&format!("a{}", "\u{301}".repeat(11))));
    }

    #[test]
    fn a_description_has_lines() {
        assert!(is_text_of_lines("") && is_text_of_lines("one\r\n\ttwo\n"));
        assert!(!is_text_of_lines("one\u{b}") && !is_text_of_lines("\u{202e}eno") && !is_text("a\tb"));
    }
}
