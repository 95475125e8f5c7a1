//! What is told of a transaction once it is committed, and not where it was not: counts, and lines of the log.

use opentelemetry::Context;
use tracing::Span;

use super::Tx;

/// Tells of it.
pub(super) type Tell = Box<dyn FnOnce() + Send + Sync>;

impl Tx {
    /// Tells of this transaction once it is committed. What is run again after it failed tells once.
    pub fn after(&mut self, tell: impl FnOnce() + Send + Sync + 'static) {
        // In the trace of whoever asked for it.
        let (context, span) = (Context::current(), Span::current());
        self.after.push(Box::new(move || {
            let _context = context.attach();
            span.in_scope(tell);
        }));
    }
}
