use tradewind_domain::{Error, ErrorKind, FieldViolation};

/// Everything that is wrong with one request.
#[derive(Default)]
pub(super) struct Violations(Vec<(&'static str, FieldViolation)>);

impl Violations {
    /// Adds a field that is wrong, with a stable reason and a description for people.
    pub(super) fn add(&mut self, field: impl Into<String>, reason: &'static str, description: impl Into<String>) {
        self.0.push((reason, FieldViolation { field: field.into(), description: description.into() }));
    }

    /// Adds the field unless `holds`.
    pub(super) fn check(&mut self, holds: bool, field: &str, reason: &'static str, description: &str) {
        if !holds {
            self.add(field, reason, description);
        }
    }

    /// Takes over the fields of an error, and returns the value where there is none.
    pub(super) fn catch<T>(&mut self, outcome: Result<T, Error>) -> Option<T> {
        let error = match outcome {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        self.0.extend(error.violations.into_iter().map(|violation| (error.reason, violation)));
        None
    }

    /// Returns one error that names every field at fault: with their reason where it is the same for all.
    pub(super) fn finish(self) -> Result<(), Error> {
        let Some((first, _)) = self.0.first() else { return Ok(()) };
        let reason = if self.0.iter().all(|(reason, _)| reason == first) { first } else { "INVALID_REQUEST" };
        let message = self
            .0
            .iter()
            .map(|(_, violation)| format!("{}: {}", violation.field, violation.description))
            .collect::<Vec<_>>()
            .join("; ");
        let mut error = Error::new(ErrorKind::Invalid, reason, message);
        error.violations = self.0.into_iter().map(|(_, violation)| violation).collect();
        Err(error)
    }
}
