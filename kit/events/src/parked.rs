//! The table of events that readers could not handle: theirs to fill, and the operator's to empty. Times are microseconds since
//! the Unix epoch.

use std::fmt;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait as _;
use tradewind_domain::Error;
use tradewind_sql::{Id, db, from_micros, partition, unsigned};
use tradewind_store::{Metadata, Recorded, StreamName, Tx};

/// A protobuf message, which may hold what must never be logged.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Payload(pub Vec<u8>);

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

/// One row of `parked`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "parked")]
pub struct Model {
    /// Whose reader could not handle it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub consumer: String,
    /// The context that owns it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source: String,
    /// Its stream, whose later events queue behind it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub stream: String,
    /// Its place in the log partition.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// The log partition.
    pub partition: i64,
    /// Its place in the stream.
    pub version: i64,
    /// Its id.
    pub event_id: Id,
    /// Full protobuf name.
    #[sea_orm(column_name = "type")]
    pub type_name: String,
    /// What it says.
    pub payload: Payload,
    /// When it was appended.
    pub time: i64,
    /// What its partition was computed from.
    pub partition_key: String,
    /// Names the whole story.
    pub correlation: String,
    /// The id of the event that led to it, or empty.
    pub causation: String,
    /// The trace it belongs to, or empty.
    pub traceparent: String,
    /// Why it is here, stable for programs.
    pub reason: String,
    /// The same for people.
    pub error: String,
    /// How often it was tried.
    pub attempts: i64,
    /// Since when it is here.
    pub parked_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The event as it was received.
    ///
    /// # Errors
    /// `Internal` when the row is no event.
    pub fn event(self) -> Result<Recorded, Error> {
        Ok(Recorded {
            id: self.event_id.0,
            stream: StreamName::from(self.stream),
            version: unsigned(self.version),
            partition: partition(self.partition)?,
            position: unsigned(self.position),
            type_name: self.type_name,
            payload: self.payload.0,
            time: from_micros(self.time),
            metadata: Metadata {
                correlation: self.correlation,
                causation: self.causation,
                traceparent: self.traceparent,
                partition_key: self.partition_key,
            },
        })
    }
}

/// What is parked for a consumer of one of its sources.
#[must_use]
pub fn of(consumer: &str, source: &str) -> Expr {
    Column::Consumer.eq(consumer).and(Column::Source.eq(source))
}

/// Forgets what a consumer has read, and what it could not handle: it begins again.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn forget_consumer(tx: &Tx, consumer: &str) -> Result<(), Error> {
    tx.forget_cursors(consumer).await?;
    forget_parked(tx, consumer).await
}

/// Forgets what a consumer could not handle.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn forget_parked(tx: &Tx, consumer: &str) -> Result<(), Error> {
    let parked = Entity::delete_many().filter(Column::Consumer.eq(consumer));
    parked.exec(tx.conn()).await.map(drop).map_err(db)
}
