//! What is being done, for lines of the log.

use std::sync::Arc;

use opentelemetry::KeyValue;

/// Facts about what is being done. They stand in the [`Context`](opentelemetry::Context) of whatever is done for it, so that each line of
/// the log within has them, whether somebody collects its trace or not. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Doing(Arc<[KeyValue]>);

impl Doing {
    /// What these say, under names of [`names`](crate::names).
    pub fn new(facts: impl Into<Arc<[KeyValue]>>) -> Self {
        Self(facts.into())
    }

    /// The facts.
    #[must_use]
    pub fn facts(&self) -> &[KeyValue] {
        &self.0
    }
}
