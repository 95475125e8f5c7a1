//! The closed set of ways in which anything in the system can fail, and the one error type that
//! travels between layers.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use prost::Name;

/// How an error is to be treated, by callers and by readers of events alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request is malformed whatever the state of the system.
    Invalid,
    /// Something named in the request does not exist.
    NotFound,
    /// What should be created exists already, and differs.
    AlreadyExists,
    /// Somebody else changed the same thing first; trying again may succeed.
    Conflict,
    /// The request is well formed, but the present state forbids it.
    Rejected,
    /// Who asks has not shown who they are.
    Unauthenticated,
    /// The caller may not do this.
    Denied,
    /// A limit is reached; trying later may succeed.
    Exhausted,
    /// Something needed is away; trying later may succeed.
    Unavailable,
    /// A defect on this side. Its text is for the operator, never for the caller.
    Internal,
}

impl ErrorKind {
    /// Tells whether the same request may succeed later without anybody changing it.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Conflict | Self::Exhausted | Self::Unavailable)
    }
}

/// One field of a request and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field in the request, e.g. `lines[2].quantity`.
    pub field: String,
    /// What is wrong, for a person.
    pub description: String,
}

impl FieldViolation {
    /// How many a refusal names, with what is missing; of the others it says how many there are.
    pub const SHOWN: usize = 8;
}

/// Something that a request names and that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What kind of thing it is: the full name of the message that the contract has for it.
    pub kind: String,
    /// Which one: what the request calls it.
    pub name: String,
    /// What is said of it, for a person.
    pub description: String,
}

/// The first of `texts` for a message, and how many more there are.
#[must_use]
pub fn some_of(texts: impl ExactSizeIterator<Item = impl Into<String>>, between: &str) -> String {
    let more = texts.len().saturating_sub(FieldViolation::SHOWN);
    let mut shown: Vec<String> = texts.take(FieldViolation::SHOWN).map(Into::into).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(between)
}

/// An error of any layer: its kind decides the treatment, its reason is stable for programs, its
/// message is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The treatment.
    pub kind: ErrorKind,
    /// Stable, `UPPER_SNAKE_CASE`; part of the API.
    pub reason: &'static str,
    /// For people; for kind `Internal` it does not leave the process.
    pub message: String,
    /// The fields at fault, if any.
    pub violations: Vec<FieldViolation>,
    /// Further facts for programs.
    pub metadata: BTreeMap<String, String>,
    /// After what time the same request may succeed, where that is known.
    pub again: Option<Duration>,
    /// See [`missing`](Self::missing).
    absent: Option<Box<Absent>>,
}

/// All that is missing, apart from the error: most errors have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Absent(Vec<Missing>);

impl Error {
    /// An error of `kind` with a stable `reason` and a `message` for people.
    pub fn new(kind: ErrorKind, reason: &'static str, message: impl Into<String>) -> Self {
        let (message, violations, metadata) = (message.into(), Vec::new(), BTreeMap::new());
        Self { kind, reason, message, violations, metadata, again: None, absent: None }
    }

    /// A malformed `field` of a request; `description` says what is wrong with it.
    pub fn invalid(field: impl Into<String>, reason: &'static str, description: impl Into<String>) -> Self {
        let (field, description) = (field.into(), description.into());
        Self::new(ErrorKind::Invalid, reason, format!("{field}: {description}")).with_violation(field, description)
    }

    /// The `M` of that `name` does not exist; `description` says so.
    pub fn not_found<M: Name>(name: impl Into<String>, reason: &'static str, description: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, reason, description).of::<M>(name)
    }

    /// Something needed that is away at the moment.
    pub fn unavailable(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, reason, message)
    }

    /// A defect on this side; `cause` is for the operator only.
    pub fn internal(cause: impl Display) -> Self {
        Self::new(ErrorKind::Internal, "INTERNAL", cause.to_string())
    }

    /// The same error with one more field at fault.
    #[must_use]
    pub fn with_violation(mut self, field: impl Into<String>, description: impl Into<String>) -> Self {
        self.violations.push(FieldViolation { field: field.into(), description: description.into() });
        self
    }

    /// What is not there, in an error of kind `NotFound`.
    #[must_use]
    pub fn missing(&self) -> &[Missing] {
        self.absent.as_ref().map_or(&[], |absent| &absent.0)
    }

    /// The same error, which says what is not there: the `M` of that `name`. What has another kind, or says it, stays as it is.
    #[must_use]
    pub fn of<M: Name>(self, name: impl Into<String>) -> Self {
        if self.kind != ErrorKind::NotFound || self.absent.is_some() {
            return self;
        }
        let description = self.message.clone();
        self.with_missing::<M>(name, description)
    }

    /// The same error with one thing more that is not there: the `M` of that `name`.
    #[must_use]
    pub fn with_missing<M: Name>(mut self, name: impl Into<String>, description: impl Into<String>) -> Self {
        let missing = Missing { kind: M::full_name(), name: name.into(), description: description.into() };
        self.absent.get_or_insert_default().0.push(missing);
        self
    }

    /// The same error with the field at fault that `fields` has for its reason, where it has one and none is named.
    #[must_use]
    pub fn about(self, fields: &[(&str, &str)]) -> Self {
        match fields.iter().find(|(reason, _)| self.violations.is_empty() && *reason == self.reason) {
            Some((_, field)) => {
                let description = self.message.clone();
                self.with_violation(*field, description)
            }
            None => self,
        }
    }

    /// The same error, which may be none after that time.
    #[must_use]
    pub fn again(mut self, after: Duration) -> Self {
        self.again = Some(after);
        self
    }

    /// The same error with one more fact for programs.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

/// What an aggregate's own error type says about each of its variants. Which field of a request it is about is for whoever reads
/// requests to say.
pub trait DomainError: std::error::Error {
    /// The treatment.
    fn kind(&self) -> ErrorKind;
    /// Stable, `UPPER_SNAKE_CASE`.
    fn reason(&self) -> &'static str;
    /// Further facts for programs.
    fn metadata(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

impl<E: DomainError> From<E> for Error {
    fn from(error: E) -> Self {
        Self {
            kind: error.kind(),
            reason: error.reason(),
            message: error.to_string(),
            violations: Vec::new(),
            metadata: error.metadata(),
            again: None,
            absent: None,
        }
    }
}
