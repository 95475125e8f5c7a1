//! Which template takes a path, and what its variables hold.

use std::borrow::Cow;

use crate::percent::{decoded, decoded_segments};
use crate::refusal::Refusal;
use crate::template::{Segment, Template, Variable};

/// The longest path, in bytes.
pub const LONGEST_PATH: usize = 8 * 1024;
/// The most segments of a path.
pub const MOST_SEGMENTS: usize = 64;

/// Templates with what belongs to each, the most exact first: one with a verb before one without, and in each segment a text before
/// `*` and `*` before `**`. A path whose most exact template takes other methods goes to the next that takes its own, but what one
/// reads as a verb is no part of a name to another.
#[derive(Debug)]
pub struct Matcher<T> {
    entries: Vec<Entry<T>>,
}

#[derive(Debug)]
struct Entry<T> {
    rank: Vec<u8>,
    method: String,
    template: Template,
    value: T,
}

/// Two templates take the same paths with the same method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{one} and {other} take the same {method} requests")]
pub struct Conflict {
    /// The method.
    pub method: String,
    /// The template that was there.
    pub one: String,
    /// The template that came.
    pub other: String,
}

/// The template that takes a path.
#[derive(Debug)]
pub struct Match<'a, T> {
    /// What belongs to it.
    pub value: &'a T,
    /// The template.
    pub template: &'a Template,
    /// What its variables hold, in their order, decoded.
    pub captures: Vec<(&'a Variable, String)>,
}

/// A path, cut at its slashes.
struct Cut<'p> {
    segments: Vec<(&'p str, Cow<'p, [u8]>)>,
}

impl<T> Default for Matcher<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T> Matcher<T> {
    /// Adds a template for a method, in capitals.
    ///
    /// # Errors
    /// Where another takes the same requests.
    pub fn insert(&mut self, method: &str, template: Template, value: T) -> Result<(), Conflict> {
        let same = |entry: &&Entry<T>| {
            let at = &entry.template;
            entry.method == method && at.segments() == template.segments() && at.verb() == template.verb()
        };
        if let Some(entry) = self.entries.iter().find(same) {
            let (one, other) = (entry.template.text().to_owned(), template.text().to_owned());
            return Err(Conflict { method: method.to_owned(), one, other });
        }
        let rank = rank(&template);
        let at = self.entries.partition_point(|entry| entry.rank <= rank);
        self.entries.insert(at, Entry { rank, method: method.to_owned(), template, value });
        Ok(())
    }

    /// Finds the template that takes a path (without its query, as it was sent) with a method.
    ///
    /// # Errors
    /// Where none does, none with that method, or the path is malformed.
    pub fn find(&self, method: &str, path: &str) -> Result<Match<'_, T>, Refusal> {
        let cut = Cut::new(path)?;
        let mut allowed: Vec<String> = Vec::new();
        let mut has_verb = false;
        for entry in &self.entries {
            if has_verb && entry.template.verb().is_none() {
                break;
            }
            if entry.method != method && allowed.contains(&entry.method) {
                continue;
            }
            let Some(segments) = taken(&entry.template, &cut) else { continue };
            if entry.method == method {
                let captures = captures(&entry.template, &segments)?;
                return Ok(Match { value: &entry.value, template: &entry.template, captures });
            }
            has_verb |= entry.template.verb().is_some();
            allowed.push(entry.method.clone());
        }
        allowed.sort();
        Err(if allowed.is_empty() { Refusal::NoRoute } else { Refusal::MethodNotAllowed { allowed } })
    }

    /// All that belongs to the templates, the most exact first.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|entry| &entry.value)
    }
}

impl<'p> Cut<'p> {
    fn new(path: &'p str) -> Result<Self, Refusal> {
        let rest = path.strip_prefix('/').filter(|_| path.len() <= LONGEST_PATH).ok_or(Refusal::MalformedPath)?;
        if rest.is_empty() {
            return Ok(Self { segments: Vec::new() });
        }
        if rest.split('/').nth(MOST_SEGMENTS).is_some() {
            return Err(Refusal::MalformedPath);
        }
        let segment = |raw: &'p str| decoded(raw).map(|bytes| (raw, bytes)).ok_or(Refusal::MalformedPath);
        Ok(Self { segments: rest.split('/').map(segment).collect::<Result<_, _>>()? })
    }
}

/// The path's segments as they were sent, without the template's verb, where the template takes them.
fn taken<'p>(template: &Template, cut: &Cut<'p>) -> Option<Vec<&'p str>> {
    if !begins(template, cut) {
        return None;
    }
    let mut raw: Vec<&str> = cut.segments.iter().map(|(raw, _)| *raw).collect();
    let mut stem = None;
    if let Some(verb) = template.verb() {
        let last = raw.pop()?;
        // With each of its bytes escaped it is three times as long. What cannot be one is not decoded: a path may be nothing but colons.
        let sizes = verb.bytes().len()..=3 * verb.bytes().len();
        let is_verb = |at: &usize| {
            let text = &last[at + 1..];
            sizes.contains(&text.len()) && decoded(text).is_some_and(|bytes| *bytes == *verb.bytes())
        };
        let at = last.match_indices(':').map(|(at, _)| at).find(is_verb)?;
        if at > 0 || !raw.is_empty() {
            raw.push(&last[..at]);
            stem = decoded(&last[..at]);
        }
    }
    let bytes = |at: usize| match &stem {
        Some(stem) if at + 1 == raw.len() => stem,
        _ => &cut.segments[at].1,
    };
    for (at, segment) in template.segments().iter().enumerate() {
        match segment {
            Segment::Rest => return Some(raw),
            _ if at >= raw.len() => return None,
            Segment::One if raw[at].is_empty() => return None,
            Segment::Literal(literal) if *literal.bytes() != **bytes(at) => return None,
            Segment::One | Segment::Literal(_) => {}
        }
    }
    (raw.len() == template.segments().len()).then_some(raw)
}

/// Whether the texts of a template are those of a path, as far as no verb can change them: most templates end here.
fn begins(template: &Template, cut: &Cut<'_>) -> bool {
    let sure = &cut.segments[..cut.segments.len().saturating_sub(1)];
    let differs = |(segment, (_, bytes)): (&Segment, &(&str, Cow<'_, [u8]>))| match segment {
        Segment::Literal(literal) => *literal.bytes() != **bytes,
        Segment::One | Segment::Rest => false,
    };
    !template.segments().iter().zip(sure).any(differs)
}

fn captures<'t>(template: &'t Template, raw: &[&str]) -> Result<Vec<(&'t Variable, String)>, Refusal> {
    let captured = |variable: &'t Variable| {
        let pattern = &template.segments()[variable.start..variable.end];
        let many = pattern.len() > 1 || pattern == [Segment::Rest];
        let end = if pattern.ends_with(&[Segment::Rest]) { raw.len() } else { variable.end };
        let text = match &raw[variable.start..end] {
            [one] => Cow::Borrowed(*one),
            several => several.join("/").into(),
        };
        let bytes = if many { decoded_segments(&text) } else { decoded(&text) };
        let text = bytes.and_then(|bytes| String::from_utf8(bytes.into_owned()).ok());
        Ok((variable, text.ok_or(Refusal::MalformedPath)?))
    };
    template.variables().iter().map(captured).collect()
}

fn rank(template: &Template) -> Vec<u8> {
    let segment = |segment: &Segment| match segment {
        Segment::Literal(_) => 0,
        Segment::One => 1,
        Segment::Rest => 2,
    };
    let verb = u8::from(template.verb().is_none());
    std::iter::once(verb).chain(template.segments().iter().map(segment)).collect()
}
