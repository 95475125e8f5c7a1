//! A filter as a tree, and as text again.

use std::fmt;

/// What is combined, and how. `All` and `Any` have two parts or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree<L> {
    /// Every part holds.
    All(Vec<Self>),
    /// One part holds, or more.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// What is not combined of anything.
    Leaf(L),
}

/// One restriction, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The character of the filter, from 1.
    pub at: usize,
    /// What is asked for.
    pub says: Says,
}

/// What one restriction asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// Whatever is searched has this text.
    Text(Written),
    /// A field compares so with a value.
    Field {
        /// The field, `total.minor`.
        name: String,
        /// How.
        operator: Operator,
        /// With what.
        value: Written,
    },
}

/// A text or a value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The character of the filter at which it begins, from 1.
    pub at: usize,
    /// Without quotation marks and escapes.
    pub text: String,
    /// It stood in quotation marks.
    pub quoted: bool,
}

/// How a field compares with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `:`, which asks whether a list has something.
    Has,
}

impl Operator {
    /// Each with how it is written; of two that begin alike, the longer one first.
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::Greater),
        (":", Self::Has),
    ];

    pub(crate) fn text(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, operator)| *operator == self).map_or("", |(text, _)| text)
    }
}

impl<L> Tree<L> {
    pub(crate) fn all(mut parts: Vec<Self>) -> Self {
        if parts.len() == 1 { parts.swap_remove(0) } else { Self::All(parts) }
    }

    pub(crate) fn any(mut parts: Vec<Self>) -> Self {
        if parts.len() == 1 { parts.swap_remove(0) } else { Self::Any(parts) }
    }

    /// The same with other leaves.
    ///
    /// # Errors
    /// The first that `leaf` ends in.
    pub fn try_map<M, E>(self, leaf: &impl Fn(L) -> Result<M, E>) -> Result<Tree<M>, E> {
        let each =
            |parts: Vec<Self>| parts.into_iter().map(|part| part.try_map(leaf)).collect::<Result<Vec<Tree<M>>, E>>();
        Ok(match self {
            Self::All(parts) => Tree::All(each(parts)?),
            Self::Any(parts) => Tree::Any(each(parts)?),
            Self::Not(part) => Tree::Not(Box::new(part.try_map(leaf)?)),
            Self::Leaf(of) => Tree::Leaf(leaf(of)?),
        })
    }

    /// What has to hold each by itself: the parts of an `All`, or the whole.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::All(parts) => parts,
            whole => std::slice::from_ref(whole),
        }
    }
}

/// Text that reads back as the same tree.
impl fmt::Display for Tree<Term> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => join(f, parts, " AND ", |part| matches!(part, Self::All(_))),
            Self::Any(parts) => join(f, parts, " OR ", |part| matches!(part, Self::All(_) | Self::Any(_))),
            Self::Not(part) if matches!(**part, Self::Leaf(_)) => write!(f, "NOT {part}"),
            Self::Not(part) => write!(f, "NOT ({part})"),
            Self::Leaf(term) => term.fmt(f),
        }
    }
}

fn join(
    f: &mut fmt::Formatter<'_>,
    parts: &[Tree<Term>],
    between: &str,
    apart: impl Fn(&Tree<Term>) -> bool,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        f.write_str(if place == 0 { "" } else { between })?;
        if apart(part) { write!(f, "({part})") } else { write!(f, "{part}") }?;
    }
    Ok(())
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.says {
            Says::Text(text) => text.fmt(f),
            Says::Field { name, operator, value } => write!(f, "{name} {} {value}", operator.text()),
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.quoted {
            return f.write_str(&self.text);
        }
        write!(f, "\"{}\"", self.text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
