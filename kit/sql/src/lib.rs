//! Databases as the kit uses them: SQLite and PostgreSQL, their connections, transactions and statements, and what their errors
//! mean. It is the only place that knows how the two differ in being reached; no table belongs here.
//!
#![doc = include_str!("../README.md")]

mod anew;
mod arrays;
mod backoff;
pub mod columns;
mod connect;
mod copy;
mod damage;
mod database;
mod empty;
mod error;
mod file;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod id;
mod mark;
mod migrations;
mod moment;
mod page;
mod place;
mod reads;
mod rows;
mod script;
mod server;
mod sessions;
mod sizes;
mod sqlite;
mod statement;
mod times;
mod transaction;
mod turn;
mod url;
mod watched;

use std::sync::Arc;

pub use self::anew::create_databases;
pub use self::backoff::{Backoff, jitter, random};
pub use self::connect::{Connections, commit, connect};
pub use self::copy::copy_into;
pub use self::damage::{Look, check as check_for_damage, look_through, open_file};
pub use self::database::Database;
pub use self::empty::empty;
pub use self::error::{DATABASE_CORRUPT, SERIALIZATION, UNKNOWN, brief, damages, db, duplicate, is_short};
pub use self::file::{sqlite_file, sqlite_url};
pub use self::id::Id;
pub use self::mark::{DATABASE_REPLACED, Marked, beside, reserve};
pub use self::migrations::migrate;
pub use self::moment::Moment;
pub use self::page::{page, page_text};
pub use self::place::Place;
pub use self::reads::Reads;
pub use self::rows::{Removal, Rows, Then, Upsert};
pub use self::script::{Listed, Script, With};
pub use self::sizes::{batches, chunks, padded};
pub use self::statement::{partition, signed, statement, unsigned};
pub use self::times::{from_micros, micros, timestamp};
pub use self::transaction::{Durability, Reading, Transaction};
pub use self::turn::in_turn;
pub use self::url::{check_database_url, driver_url, verified};

/// Told whenever the database was away, or another server answers: what comes back may be an earlier state of it.
pub type Away = Arc<dyn Fn() + Send + Sync>;
