//! Events that are neither lost nor repeated nor out of order: the event store and its log, the relay to the broker, the
//! readers, the calls to the outside and the deadlines, all on the service's own database.
//!
//! The database is the truth and the broker a fast path. Nothing here knows a context, and nothing here speaks gRPC: the
//! owner's log is read through [`LogSource`], which the runtime implements.

mod broker;
mod circuit;
mod engine;
pub mod fault;
mod heads;
mod logs;
mod metrics;
mod operate;
mod permissions;
mod prune;
mod reactions;
mod reader;
mod relay;
mod roster;
mod streams;
mod tenure;
mod wake;
mod wire;
mod witness;
mod work;

pub use broker::{Broker, BrokerOptions, check_broker_url};
pub use engine::Engine;
pub use operate::{
    Act, ActKind, ActOutcome, Consumer, Consumers, Drained, Outcome, ParkedEvent, ParkedStream, ParkedSummary,
    Partition, Pause, Quarantine, Source, Tried, acts, pause_consumer, paused_consumers, resume_consumer,
};
pub use permissions::BrokerPermissions;
pub use reactions::{Forward, GIVEN_UP, Reaction, Reactions, Received};
pub use reader::{LogSource, Stuck, StuckReaders};
pub use streams::{Made, Retention, Streams};
pub use tradewind_sql::{
    DATABASE_CORRUPT, DATABASE_REPLACED, Reads, SERIALIZATION, Script, UNKNOWN, check_database_url, chunks, columns,
    db, from_micros, in_turn, micros, page, sqlite_file, sqlite_url, timestamp,
};
pub use tradewind_store::{
    Appended, AsOf, Clock, Committed, Executed, Heads, LOG_WENT_BACK, Loaded, LogPage, Metadata, Part, Recorded,
    RequestKey, Store, StoreOptions, StreamName, Topic, Tx, Upsert, VERSION_CONFLICT, accept_loss, back_up, fits,
    restore,
};
pub use work::{Intent, IntentHandler, NewIntent, TimerHandler, Unknown, cancel_timer, intend, schedule, withdraw};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
