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
mod consumers;
mod engine;
mod error;
#[cfg(feature = "faults")]
pub mod fault;
#[cfg(not(feature = "faults"))]
#[expect(dead_code, unreachable_pub, reason = "without the feature nobody names a point")]
mod fault;
mod heads;
mod intents;
mod lease;
mod logs;
mod metrics;
mod page;
mod pause;
mod permissions;
#[cfg(test)]
mod plans;
mod prune;
mod quarantine;
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
mod stuck;
mod tenure;
mod timers;
mod times;
mod token;
mod trace;
mod turn;
mod tx;
mod wake;
mod wire;
mod witness;

pub use broker::{Broker, BrokerOptions, check_broker_url};
pub use clock::Clock;
pub use consumers::{Consumer, Consumers, Partition, Source};
pub use engine::Engine;
pub use error::{DATABASE_CORRUPT, SERIALIZATION, UNKNOWN, VERSION_CONFLICT, db};
pub use intents::{Intent, IntentHandler, Unknown};
pub use page::page;
pub use pause::Pause;
pub use permissions::BrokerPermissions;
pub use quarantine::{
    Act, ActKind, ActOutcome, Drained, Outcome, ParkedEvent, ParkedStream, ParkedSummary, Quarantine, Tried,
};
pub use reactions::{Forward, GIVEN_UP, Reaction, Reactions, Received};
pub use reader::LogSource;
pub use record::{AsOf, Heads, Loaded, LogPage, Metadata, Recorded, StreamName};
pub use sql::chunks;
pub use store::{
    DATABASE_REPLACED, LOG_WENT_BACK, Reads, Store, StoreOptions, accept_loss, back_up, check_database_url, restore,
    sqlite_file, sqlite_url,
};
pub use streams::{Made, Retention, Streams};
pub use stuck::Stuck;
pub use timers::TimerHandler;
pub use times::{from_micros, micros, timestamp};
pub use turn::in_turn;
pub use tx::{Appended, Committed, Executed, NewIntent, RequestKey, Tx, Upsert};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
