//! Reads the text of a filter: the subset of AIP-160 that README.md states.

use tradewind_domain::Error;

use crate::tree::{Operator, Says, Term, Tree, Written};

/// The most bytes of a filter.
pub const LONGEST: usize = 2_000;
/// The most restrictions in one.
pub const MOST_TERMS: usize = 50;
/// How deep brackets may be within each other.
pub const MOST_DEPTH: usize = 10;

const INVALID: &str = "INVALID_FILTER";
pub(crate) const UNSUPPORTED: &str = "FILTER_UNSUPPORTED";

/// What is wrong with a filter, at a character of it that is counted from 1.
pub(crate) fn fault(at: usize, reason: &'static str, what: impl std::fmt::Display) -> Error {
    Error::invalid("filter", reason, format!("at {at}: {what}")).with("position", at.to_string())
}

/// The tree of a filter; `None` where it is empty, and so asks for nothing.
///
/// # Errors
/// `Invalid` about the field `filter`, with the position: `INVALID_FILTER` says what was expected, `FILTER_UNSUPPORTED` names what of
/// AIP-160 is not offered, `FILTER_TOO_COMPLEX` which bound it is beyond.
pub fn parse(text: &str) -> Result<Option<Tree<Term>>, Error> {
    if text.len() > LONGEST {
        return Err(Error::invalid("filter", "FILTER_TOO_COMPLEX", format!("must have at most {LONGEST} bytes")));
    }
    let mut parser = Parser { text, at: 0, terms: 0, depth: 0 };
    parser.space();
    if parser.rest().is_empty() {
        return Ok(None);
    }
    let tree = parser.all()?;
    match parser.peek() {
        None => Ok(Some(tree)),
        Some(_) => Err(parser.expected("the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    /// The byte that is next.
    at: usize,
    terms: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// What holds all together, with or without AND between: `a b AND c`.
    fn all(&mut self) -> Result<Tree<Term>, Error> {
        let mut parts = vec![self.any()?];
        loop {
            let apart = self.space();
            match self.peek() {
                None | Some(')') => return Ok(Tree::all(parts)),
                Some(_) if !apart => return Err(self.expected("a space")),
                Some(_) => {
                    if self.keyword("AND") {
                        self.space();
                    }
                    parts.push(self.any()?);
                }
            }
        }
    }

    /// Alternatives, which bind tighter than AND: `a OR b`.
    fn any(&mut self) -> Result<Tree<Term>, Error> {
        let mut parts = vec![self.one()?];
        loop {
            let before = self.at;
            if !(self.space() && self.keyword("OR")) {
                self.at = before;
                return Ok(Tree::any(parts));
            }
            self.space();
            parts.push(self.one()?);
        }
    }

    /// A restriction or something in brackets, perhaps negated.
    fn one(&mut self) -> Result<Tree<Term>, Error> {
        if self.keyword("NOT") {
            self.space();
            return Ok(Tree::Not(Box::new(self.simple()?)));
        }
        if self.take("-") {
            return Ok(Tree::Not(Box::new(self.simple()?)));
        }
        self.simple()
    }

    fn simple(&mut self) -> Result<Tree<Term>, Error> {
        let at = self.place();
        if !self.take("(") {
            return self.restriction().map(Tree::Leaf);
        }
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(fault(at, "FILTER_TOO_COMPLEX", format!("brackets are more than {MOST_DEPTH} deep")));
        }
        self.space();
        let inner = self.all()?;
        if !self.take(")") {
            return Err(self.expected("a closing bracket"));
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn restriction(&mut self) -> Result<Term, Error> {
        let at = self.place();
        self.terms += 1;
        if self.terms > MOST_TERMS {
            return Err(fault(at, "FILTER_TOO_COMPLEX", format!("has more than {MOST_TERMS} restrictions")));
        }
        let subject = match self.quoted()? {
            Some(text) => Written { at, text, quoted: true },
            None => self.word()?,
        };
        let before = self.at;
        self.space();
        let Some(operator) = self.operator() else {
            self.at = before;
            searchable(&subject)?;
            return Ok(Term { at, says: Says::Text(subject) });
        };
        if subject.quoted {
            return Err(fault(at, INVALID, "the name of a field is not in quotation marks"));
        }
        self.space();
        let value = self.value()?;
        Ok(Term { at, says: Says::Field { name: subject.text, operator, value } })
    }

    /// A name or a text without quotation marks.
    fn word(&mut self) -> Result<Written, Error> {
        let at = self.place();
        let text = self.run(|c| c.is_whitespace() || "()\"'=<>!:,".contains(c));
        if text.is_empty() || ["AND", "OR", "NOT"].contains(&text) {
            self.at -= text.len();
            return Err(self.expected("a field, a text or a bracket"));
        }
        if self.peek() == Some('(') {
            return Err(fault(at, UNSUPPORTED, format!("functions, as {text}(…), are not supported")));
        }
        Ok(Written { at, text: text.to_owned(), quoted: false })
    }

    /// What a field is compared with: it may hold what ends a name, as times do.
    fn value(&mut self) -> Result<Written, Error> {
        let at = self.place();
        if let Some(text) = self.quoted()? {
            return Ok(Written { at, text, quoted: true });
        }
        if self.peek() == Some('(') {
            return Err(fault(
                at,
                UNSUPPORTED,
                "a value in brackets is not supported: repeat the field, as a = 1 OR a = 2",
            ));
        }
        let text = self.run(|c| c.is_whitespace() || "()\"'=<>!,".contains(c));
        if text.is_empty() || ["AND", "OR", "NOT"].contains(&text) {
            self.at -= text.len();
            return Err(self.expected("a value"));
        }
        if self.peek() == Some('(') {
            return Err(fault(at, UNSUPPORTED, format!("functions, as {text}(…), are not supported")));
        }
        Ok(Written { at, text: text.to_owned(), quoted: false })
    }

    /// A text in quotation marks of either kind, if there is one.
    fn quoted(&mut self) -> Result<Option<String>, Error> {
        let begin = self.place();
        let Some(mark @ ('"' | '\'')) = self.peek() else { return Ok(None) };
        self.at += 1;
        let mut text = String::new();
        loop {
            let at = self.place();
            let Some(next) = self.next() else {
                return Err(fault(begin, INVALID, "expected the quotation mark that closes this one, found the end"));
            };
            match next {
                '\\' => match self.next() {
                    Some(escaped @ ('\\' | '"' | '\'')) => text.push(escaped),
                    _ => return Err(fault(at, INVALID, "expected \\\\, \\\" or \\' after the backslash")),
                },
                _ if next == mark => return Ok(Some(text)),
                _ => text.push(next),
            }
        }
    }

    fn operator(&mut self) -> Option<Operator> {
        Operator::ALL.into_iter().find(|(text, _)| self.take(text)).map(|(_, operator)| operator)
    }

    /// Takes a word that has a meaning of its own, in capitals.
    fn keyword(&mut self, word: &str) -> bool {
        let after = self.rest().strip_prefix(word).map(|after| after.chars().next());
        let found = matches!(after, Some(None | Some('('))) || matches!(after, Some(Some(c)) if c.is_whitespace());
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn run(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let run = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.at += run.len();
        run
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn space(&mut self) -> bool {
        !self.run(|c| !c.is_whitespace()).is_empty()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The character that is next, from 1.
    fn place(&self) -> usize {
        self.text[..self.at].chars().count() + 1
    }

    fn expected(&self, what: &str) -> Error {
        let found = match self.rest().split_whitespace().next() {
            Some(word) => format!("{:?}", word.chars().take(20).collect::<String>()),
            None => "the end".to_owned(),
        };
        fault(self.place(), INVALID, format!("expected {what}, found {found}"))
    }
}

/// A text that is searched for means what it looks like.
fn searchable(Written { at, text, quoted }: &Written) -> Result<(), Error> {
    if *quoted {
        let empty = text.trim().is_empty();
        return if empty {
            Err(fault(*at, INVALID, "expected a text to search for, found an empty one"))
        } else {
            Ok(())
        };
    }
    if ["and", "or", "not"].contains(&text.to_lowercase().as_str()) {
        let capitals = text.to_uppercase();
        return Err(fault(*at, INVALID, format!("write {capitals} in capitals, or {text:?} to search for the word")));
    }
    if text.contains('*') {
        return Err(fault(*at, UNSUPPORTED, "wildcards are not supported: a text is found anywhere as it is"));
    }
    Ok(())
}
