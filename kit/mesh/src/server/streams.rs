//! How many of a connection's calls may be streams. They are counted apart from the others, so that those who watch starve nobody
//! who asks.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::body::Until;
use crate::status::{self, Layer};

/// Streams on a connection at once: so few that calls find room beside them.
const MOST: usize = 100;

/// The streams of one connection, which are over before the connection is.
#[derive(Clone)]
pub(super) struct Streams {
    places: Arc<Semaphore>,
    drain: CancellationToken,
}

impl Streams {
    /// They end when `drain` is cancelled.
    pub(super) fn new(drain: CancellationToken) -> Self {
        Self { places: Arc::new(Semaphore::new(MOST)), drain }
    }

    /// Whether there are none.
    pub(super) fn are_none(&self) -> bool {
        self.places.available_permits() == MOST
    }

    /// Takes a place for one more; `stop` is the server's.
    pub(super) fn open(&self, stop: &CancellationToken) -> Result<Until, Status> {
        let full = |_| {
            let text = "the connection carries as many streams as it may; open another, or end one";
            let facts = [("limit", MOST.to_string())];
            let facts = facts.iter().map(|(key, value)| (*key, value.as_str()));
            status::refusal(Layer::Streams, Code::ResourceExhausted, "TOO_MANY_STREAMS", text, facts)
        };
        let place = self.places.clone().try_acquire_owned().map_err(full)?;
        Ok(Until { stop: stop.clone(), drain: self.drain.clone(), _place: place })
    }
}
