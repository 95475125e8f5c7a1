//! The event store: streams and transactions on the service's own database, the log with its sequencer, idempotent requests and
//! the tokens with which a client waits for its own write.
//!
//! The database is the truth. Nothing here knows a context, a broker, or who reads: a part that writes with a commit registers
//! with the transaction, and whoever waits for one names a topic.
//!
#![doc = include_str!("../README.md")]

#[cfg(test)]
mod bare;
mod clock;
mod committed;
mod error;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
pub mod lease;
mod metrics;
mod origin;
mod personal;
#[cfg(test)]
mod plans;
mod rows;
mod schema;
mod seal;
mod sequencer;
mod store;
mod token;
mod tx;

pub use clock::Clock;
pub use committed::{Appended, Committed};
pub use error::{OVERTAKEN, VERSION_CONFLICT};
pub use personal::{about, text_about};
pub use seal::Show;
pub use store::{
    Cursor, Cursors, Erasure, LOG_FORKED, LOG_WENT_BACK, LogState, MOST_PARTITIONS, Opened, Sealing, Store,
    StoreOptions, Topic, Witness, changed, context_of, renew_log,
};
pub use tradewind_domain::{AsOf, Heads, Loaded, LogPage, Metadata, Recorded, StreamName};
pub use tradewind_sql::{Removal, Rows, Upsert};
pub use tx::{Executed, Last, Part, Tx, fits};
