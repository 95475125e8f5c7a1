//! The template of a path, by the grammar in google/api/http.proto.

use std::collections::BTreeSet;

use crate::percent::{decoded, well_formed};

/// The longest template, in bytes.
pub const LONGEST_TEMPLATE: usize = 1024;

/// The most variables around a variable. The rules want none; a template with some means what its text says.
const DEEPEST: usize = 8;

/// The template of a path: `/v1/{name=shelves/*}:open`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    segments: Vec<Segment>,
    variables: Vec<Variable>,
    verb: Option<Literal>,
}

/// What one segment of a path may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This text.
    Literal(Literal),
    /// `*`: any segment that is not empty.
    One,
    /// `**`: all segments that are left, or none. It is always the last.
    Rest,
}

/// A text that stands in a template.
#[derive(Clone, Debug)]
pub struct Literal {
    text: String,
    bytes: Vec<u8>,
}

/// The field that a part of the path is the value of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The field's path.
    pub field: String,
    /// Its first segment.
    pub start: usize,
    /// The segment after its last.
    pub end: usize,
}

/// Why a text is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each says it")]
pub enum TemplateError {
    #[error("it is too long")]
    TooLong,
    #[error("it does not begin with a slash")]
    NoLeadingSlash,
    #[error("it ends with a slash")]
    TrailingSlash,
    #[error("a segment is empty")]
    EmptySegment,
    #[error("nothing follows the colon")]
    EmptyVerb,
    #[error("segments follow the verb; a colon in a literal is written %3A")]
    VerbNotLast,
    #[error("a character may not stand in a literal")]
    IllegalCharacter,
    #[error("a percent sign begins no escape")]
    BadPercentEscape,
    #[error("a wildcard is not alone in its segment")]
    WildcardInsideSegment,
    #[error("segments follow **")]
    DoubleWildcardNotLast,
    #[error("a variable does not end")]
    UnterminatedVariable,
    #[error("variables are too deep in each other")]
    TooDeep,
    #[error("a variable is not alone in its segment")]
    TextBesideVariable,
    #[error("a variable names no field path")]
    BadFieldPath,
    #[error("a variable names no field")]
    BadIdentifier,
    #[error("two variables are for the same field")]
    DuplicateVariable,
}

/// Two literals are the same if they stand for the same bytes.
impl PartialEq for Literal {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Literal {}

impl Literal {
    /// As the template writes it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it stands for.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn parse(text: &str, may_have: &str) -> Result<Self, TemplateError> {
        if text.contains('*') {
            return Err(TemplateError::WildcardInsideSegment);
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()+,;=@%".contains(c) || may_have.contains(c);
        if !text.chars().all(allowed) {
            return Err(TemplateError::IllegalCharacter);
        }
        let bytes = decoded(text).ok_or(TemplateError::BadPercentEscape)?.into_owned();
        Ok(Self { text: text.to_owned(), bytes })
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Where the grammar does not allow it, or it is longer than [`LONGEST_TEMPLATE`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > LONGEST_TEMPLATE {
            return Err(TemplateError::TooLong);
        }
        let mut template = Self { text: text.to_owned(), segments: Vec::new(), variables: Vec::new(), verb: None };
        let rest = text.strip_prefix('/').ok_or(TemplateError::NoLeadingSlash)?;
        match template.segments_of(rest, 0)? {
            "" => {}
            rest => template.verb = Some(parse_verb(rest.strip_prefix(':').ok_or(TemplateError::TextBesideVariable)?)?),
        }
        template.checked()
    }

    /// Reads segments as long as slashes join them, and gives what follows the last.
    fn segments_of<'a>(&mut self, mut rest: &'a str, depth: usize) -> Result<&'a str, TemplateError> {
        loop {
            rest = match rest.strip_prefix('{') {
                Some(variable) => self.variable(variable, depth)?,
                None => self.segment(rest)?,
            };
            match rest.strip_prefix('/') {
                Some(next) => rest = next,
                None => return Ok(rest),
            }
        }
    }

    fn segment<'a>(&mut self, rest: &'a str) -> Result<&'a str, TemplateError> {
        let end = rest.find(['/', ':', '{', '}']).unwrap_or(rest.len());
        let (segment, rest) = rest.split_at(end);
        if segment.is_empty() {
            let ends = rest.is_empty() && !self.segments.is_empty();
            return Err(if ends { TemplateError::TrailingSlash } else { TemplateError::EmptySegment });
        }
        if rest.starts_with('{') {
            return Err(TemplateError::TextBesideVariable);
        }
        self.segments.push(match segment {
            "*" => Segment::One,
            "**" => Segment::Rest,
            _ => Segment::Literal(Literal::parse(segment, "")?),
        });
        Ok(rest)
    }

    /// Reads a variable from behind its opening brace, and gives what follows the closing one.
    fn variable<'a>(&mut self, text: &'a str, depth: usize) -> Result<&'a str, TemplateError> {
        if depth > DEEPEST {
            return Err(TemplateError::TooDeep);
        }
        let end = text.find(['=', '}']).ok_or(TemplateError::UnterminatedVariable)?;
        let (field, rest) = text.split_at(end);
        if field.contains('/') || field.split('.').any(str::is_empty) {
            return Err(TemplateError::BadFieldPath);
        }
        if !field.split('.').all(is_identifier) {
            return Err(TemplateError::BadIdentifier);
        }
        let (start, at) = (self.segments.len(), self.variables.len());
        let rest = match rest.strip_prefix('=') {
            Some("") => return Err(TemplateError::UnterminatedVariable),
            Some(pattern) => self.segments_of(pattern, depth + 1)?,
            None => {
                self.segments.push(Segment::One);
                rest
            }
        };
        self.variables.insert(at, Variable { field: field.to_owned(), start, end: self.segments.len() });
        match rest.chars().next() {
            Some('}') => Ok(&rest[1..]),
            Some(':') => Err(TemplateError::IllegalCharacter),
            Some(_) => Err(TemplateError::TextBesideVariable),
            None => Err(TemplateError::UnterminatedVariable),
        }
    }

    fn checked(self) -> Result<Self, TemplateError> {
        if self.segments.iter().rev().skip(1).any(|segment| *segment == Segment::Rest) {
            return Err(TemplateError::DoubleWildcardNotLast);
        }
        let fields: BTreeSet<_> = self.variables.iter().map(|variable| &variable.field).collect();
        if fields.len() != self.variables.len() {
            return Err(TemplateError::DuplicateVariable);
        }
        Ok(self)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All its segments, those of variables too.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Its variables, in order.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// What follows the colon.
    #[must_use]
    pub fn verb(&self) -> Option<&Literal> {
        self.verb.as_ref()
    }
}

fn parse_verb(text: &str) -> Result<Literal, TemplateError> {
    match text {
        "" => Err(TemplateError::EmptyVerb),
        _ if !well_formed(text) => Err(TemplateError::BadPercentEscape),
        _ if text.contains('/') => Err(TemplateError::VerbNotLast),
        _ => Literal::parse(text, ":"),
    }
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
