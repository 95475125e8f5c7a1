use std::collections::BTreeMap;

use crate::{Error, ErrorKind, FieldViolation, some_of};

/// Everything that is wrong with one request: every field at fault is found, not just the first.
#[derive(Debug, Default)]
pub struct Violations {
    all: Vec<(&'static str, FieldViolation)>,
    /// Those of the error that was taken over last.
    facts: BTreeMap<String, String>,
}

impl Violations {
    /// Adds a field that is wrong, with a stable reason and a description for people.
    pub fn add(&mut self, field: impl Into<String>, reason: &'static str, description: impl Into<String>) {
        self.all.push((reason, FieldViolation { field: field.into(), description: description.into() }));
    }

    /// Adds the field unless `holds`.
    pub fn check(&mut self, holds: bool, field: &str, reason: &'static str, description: &str) {
        if !holds {
            self.add(field, reason, description);
        }
    }

    /// Takes over the fields of an error, and returns the value where there is none. Its facts are told where nothing else is wrong.
    pub fn catch<T>(&mut self, outcome: Result<T, Error>) -> Option<T> {
        let error = match outcome {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        self.facts = error.metadata;
        self.all.extend(error.violations.into_iter().map(|violation| (error.reason, violation)));
        None
    }

    /// Tells whether nothing is wrong.
    ///
    /// # Errors
    /// `Invalid`, with every field at fault: with their reason where it is the same for all, else `INVALID_REQUEST`.
    pub fn finish(self) -> Result<(), Error> {
        if self.all.is_empty() { Ok(()) } else { Err(self.into()) }
    }

    /// The value that was read, unless there is none or anything is wrong.
    ///
    /// # Errors
    /// As of [`finish`](Self::finish).
    pub fn finish_with<T>(self, value: Option<T>) -> Result<T, Error> {
        match value {
            Some(value) if self.all.is_empty() => Ok(value),
            _ => Err(self.into()),
        }
    }
}

impl From<Violations> for Error {
    fn from(Violations { all: violations, facts }: Violations) -> Self {
        let mut reasons = violations.iter().map(|(reason, _)| *reason);
        let reason = match reasons.next() {
            Some(first) if reasons.all(|other| other == first) => first,
            _ => "INVALID_REQUEST",
        };
        let said = violations.iter().map(|(_, said)| format!("{}: {}", said.field, said.description));
        let mut error = Self::new(ErrorKind::Invalid, reason, some_of(said, "; "));
        if violations.len() == 1 {
            error.metadata = facts;
        }
        error.violations = violations.into_iter().map(|(_, violation)| violation).collect();
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_at_fault_is_named_and_a_reason_they_share_is_theirs() {
        let mut violations = Violations::default();
        violations.check(true, "lines", "REQUIRED", "are needed");
        assert_eq!(violations.catch(Err::<u8, _>(Error::invalid("name", "REQUIRED", "is needed"))), None);
        violations.add("sku", "REQUIRED", "is needed");
        let mut error = Error::from(violations);
        assert_eq!((error.reason, error.message.as_str()), ("REQUIRED", "name: is needed; sku: is needed"));
        let mut violations = Violations::default();
        violations.add("sku", "INVALID_SKU", "is long");
        assert_eq!(violations.catch(Err::<u8, _>(error)), None);
        error = violations.finish_with(Some(7)).err().unwrap_or_else(|| Error::internal("fine"));
        let fields: Vec<_> = error.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!((error.reason, fields), ("INVALID_REQUEST", vec!["sku", "name", "sku"]));
    }

    #[test]
    fn what_is_wrong_alone_has_its_facts() {
        let long = || Err::<u8, _>(Error::invalid("sku", "TOO_LONG", "is long").with("limit", "63"));
        let mut violations = Violations::default();
        violations.catch(long());
        assert_eq!(Error::from(violations).metadata, BTreeMap::from([("limit".to_owned(), "63".to_owned())]));
        let mut violations = Violations::default();
        violations.catch(long());
        violations.add("name", "REQUIRED", "is needed");
        assert_eq!(Error::from(violations).metadata, BTreeMap::new());
    }

    #[test]
    fn nothing_wrong_is_no_error() {
        assert_eq!(Violations::default().finish(), Ok(()));
        assert_eq!(Violations::default().finish_with(Some(7)), Ok(7));
    }
}
