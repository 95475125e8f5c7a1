//! Events that are neither lost nor repeated nor out of order: the event store and its log, the relay to the broker, the
//! readers, the calls to the outside and the deadlines, all on the service's own database.
//!
//! The database is the truth and the broker a fast path. Nothing here knows a context, and nothing here speaks gRPC: the
//! owner's log is read through [`LogSource`], which the runtime implements.

mod backoff;
mod broker;
mod circuit;
mod clock;
pub mod columns;
mod engine;
mod error;
#[cfg(feature = "faults")]
pub mod fault;
#[cfg(not(feature = "faults"))]
#[expect(dead_code, unreachable_pub, reason = "without the feature nobody names a point")]
mod fault;
mod heads;
mod lease;
mod logs;
mod metrics;
mod operate;
mod page;
mod permissions;
#[cfg(test)]
mod plans;
mod prune;
mod reactions;
mod reader;
mod record;
mod relay;
mod roster;
mod schema;
mod sequencer;
mod sql;
mod store;
mod streams;
mod tenure;
mod times;
mod token;
mod trace;
mod turn;
mod tx;
mod wake;
mod wire;
mod witness;
mod work;

pub use broker::{Broker, BrokerOptions, check_broker_url};
pub use clock::Clock;
pub use engine::Engine;
pub use error::{DATABASE_CORRUPT, SERIALIZATION, UNKNOWN, VERSION_CONFLICT, db};
pub use operate::{
    Act, ActKind, ActOutcome, Consumer, Consumers, Drained, Outcome, ParkedEvent, ParkedStream, ParkedSummary,
    Partition, Pause, Quarantine, Source, Tried, acts, pause_consumer, paused_consumers, resume_consumer,
};
pub use page::page;
pub use permissions::BrokerPermissions;
pub use reactions::{Forward, GIVEN_UP, Reaction, Reactions, Received};
pub use reader::{LogSource, Stuck, StuckReaders};
pub use record::{AsOf, Heads, Loaded, LogPage, Metadata, Recorded, StreamName};
pub use sql::{Script, chunks};
pub use store::{
    DATABASE_REPLACED, LOG_WENT_BACK, Reads, Store, StoreOptions, Topic, accept_loss, back_up, check_database_url,
    restore, sqlite_file, sqlite_url,
};
pub use streams::{Made, Retention, Streams};
pub use times::{from_micros, micros, timestamp};
pub use turn::in_turn;
pub use tx::{Appended, Committed, Executed, Part, RequestKey, Tx, Upsert, fits};
pub use work::{Intent, IntentHandler, NewIntent, TimerHandler, Unknown, cancel_timer, intend, schedule, withdraw};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
