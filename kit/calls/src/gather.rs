//! Lets whoever is ready to run do so before a connection writes, so that what they have to say goes out together.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Drives a connection from the end of the queue of tasks. Whoever gives it something to write wakes it, and would have it run
/// next, with that alone: a write and a record of TLS for each call instead of for all that are ready.
#[derive(Debug, Default)]
pub struct Gather {
    has_waited: bool,
}

impl Gather {
    pub fn poll<F: Future>(&mut self, connection: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.has_waited = !self.has_waited;
        if self.has_waited {
            // A task that wakes itself is put behind all others.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        connection.poll(cx)
    }
}
