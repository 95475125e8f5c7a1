//! Markup that nobody's text can break out of: what comes from a contract gets in by [`Html::text`] and as the values of
//! attributes, and is escaped on its way.

use tradewind_domain::printable;

/// Elements behind which a line ends, so that a change of a contract is a change of few lines.
const BLOCKS: [&str; 15] =
    ["summary", "details", "section", "table", "thead", "tr", "dl", "dd", "ul", "li", "p", "h2", "h3", "h4", "g"];

/// A piece of a page.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// A text as it is read: what cannot be seen in it is shown as an escape.
    pub(super) fn text(text: &str) -> Self {
        Self(escaped(text))
    }

    /// An element with attributes and what is in it.
    pub(super) fn element<const N: usize>(
        name: &'static str,
        attributes: [(&'static str, &str); N],
        inside: impl IntoIterator<Item = Self>,
    ) -> Self {
        let mut markup = format!("<{name}");
        for (attribute, value) in attributes {
            markup += &format!(" {attribute}=\"{}\"", escaped(value));
        }
        markup.push('>');
        inside.into_iter().for_each(|piece| markup += &piece.0);
        markup += &format!("</{name}>");
        if BLOCKS.contains(&name) {
            markup.push('\n');
        }
        Self(markup)
    }

    /// An element with nothing but a text in it.
    pub(super) fn of_text(name: &'static str, class: &str, said: &str) -> Self {
        if class.is_empty() {
            Self::element(name, [], [Self::text(said)])
        } else {
            Self::element(name, [("class", class)], [Self::text(said)])
        }
    }

    /// Some code.
    pub(super) fn code(text: &str) -> Self {
        Self::of_text("code", "", text)
    }

    /// Pieces beside each other.
    pub(super) fn all(pieces: impl IntoIterator<Item = Self>) -> Self {
        Self(pieces.into_iter().map(|piece| piece.0).collect())
    }

    /// Pieces with a text between them.
    pub(super) fn joined(pieces: impl IntoIterator<Item = Self>, between: &str) -> Self {
        Self(pieces.into_iter().map(|piece| piece.0).collect::<Vec<_>>().join(&escaped(between)))
    }

    /// What a contract says in words: paragraphs, lists, and code between backticks. Nothing else in it means anything.
    pub(super) fn prose(said: &str) -> Self {
        Self::all(said.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()).map(paragraph))
    }

    /// The same, as one line where it is one.
    pub(super) fn said(said: &str) -> Self {
        if said.contains('\n') { Self::prose(said) } else { Self::line(said) }
    }

    /// The same of one line.
    pub(super) fn line(said: &str) -> Self {
        // A backtick that nothing closes is one.
        let closed = said.matches('`').count() / 2 * 2;
        let mut parts = said.splitn(closed + 1, '`');
        let mut pieces = Vec::new();
        while let Some(words) = parts.next() {
            pieces.push(Self::text(words));
            pieces.extend(parts.next().map(Self::code));
        }
        Self::all(pieces)
    }

    /// The markup itself.
    pub(super) fn into_markup(self) -> String {
        self.0
    }
}

fn paragraph(said: &str) -> Html {
    let mut pieces = Vec::new();
    let mut items = Vec::new();
    for line in said.lines() {
        match line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
            Some(item) => items.push(Html::element("li", [], [Html::line(item)])),
            None => pieces.push(Html::element("p", [], [Html::line(line)])),
        }
    }
    if !items.is_empty() {
        pieces.push(Html::element("ul", [], items));
    }
    Html::all(pieces)
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for one in printable(text).chars() {
        match one {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            one => safe.push(one),
        }
    }
    safe
}
