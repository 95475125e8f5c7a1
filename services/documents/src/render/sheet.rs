//! Pages, and how far down they are written.

use super::text::{Line, Style, wrapped};

/// A4.
pub(super) const PAGE: (i64, i64) = (595_276, 841_890);
/// Where lines begin, and where they end.
pub(super) const LEFT: i64 = 56_000;
pub(super) const RIGHT: i64 = PAGE.0 - LEFT;
const TOP: i64 = 62_000;
/// Where the last line of a page ends.
const BOTTOM: i64 = PAGE.1 - 78_000;
/// Where its foot stands.
pub(super) const FOOT: i64 = PAGE.1 - 44_000;

/// Something on a page; `y` is counted from above.
pub(super) enum Mark {
    Text { x: i64, y: i64, style: Style, line: Line },
    Rule { y: i64, weight: i64, grey: u8 },
}

/// Pages that are written from above.
pub(super) struct Sheet {
    pages: Vec<Vec<Mark>>,
    y: i64,
}

impl Sheet {
    /// A first page, empty.
    pub(super) fn new() -> Self {
        Self { pages: vec![Vec::new()], y: TOP }
    }

    /// Where the next line begins.
    pub(super) const fn y(&self) -> i64 {
        self.y
    }

    /// Goes down by so much, or up.
    pub(super) const fn skip(&mut self, height: i64) {
        self.y += height;
    }

    /// Begins another page where there is no room for so much; tells whether it did.
    pub(super) fn breaks_before(&mut self, height: i64) -> bool {
        let breaks = self.y > TOP && self.y + height > BOTTOM;
        if breaks {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
        breaks
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// Writes a line from `x` on, and stays at its height.
    pub(super) fn left(&mut self, x: i64, style: Style, line: Line) {
        let y = self.y + style.size;
        self.mark(Mark::Text { x, y, style, line });
    }

    /// Writes a text so that it ends at `x`, and stays at its height.
    pub(super) fn right(&mut self, x: i64, style: Style, text: &str) {
        let line = Line::of(text, style);
        self.left(x - line.width(style), style, line);
    }

    /// Writes a text from `x` on, in lines of that width, over pages where need be.
    pub(super) fn paragraph(&mut self, x: i64, width: i64, style: Style, text: &str) {
        for line in wrapped(text, style, width) {
            self.breaks_before(style.leading());
            self.left(x, style, line);
            self.skip(style.leading());
        }
    }

    /// Draws a line over the page.
    pub(super) fn rule(&mut self, weight: i64, grey: u8) {
        let y = self.y;
        self.mark(Mark::Rule { y, weight, grey });
    }

    /// The pages, with what stands at the foot of each: a text, and which page it is of how many.
    pub(super) fn footed(mut self, text: &str, style: Style) -> Vec<Vec<Mark>> {
        let count = self.pages.len();
        for (number, page) in (1..).zip(&mut self.pages) {
            let told = Line::of(&format!("Page {number} of {count}"), style);
            let x = RIGHT - told.width(style);
            page.push(Mark::Text { x: LEFT, y: FOOT, style, line: Line::of(text, style) });
            page.push(Mark::Text { x, y: FOOT, style, line: told });
        }
        self.pages
    }
}
