//! Events as rows of the table `event`.

use sea_orm::QueryResult;
use tradewind_domain::Error;
use tradewind_sql::{Id, db, from_micros, partition, unsigned};

use crate::{Metadata, Recorded, StreamName};

/// The columns of `event` that make a [`Recorded`], in the order in which they are written.
pub(crate) const EVENT_COLUMNS: &str =
    "stream, version, id, type, payload, partition_key, partition, time, correlation, causation, traceparent";

/// Reads a row of [`EVENT_COLUMNS`], with its `position` where the query has one.
pub(crate) fn recorded(row: &QueryResult, with_position: bool) -> Result<Recorded, Error> {
    let number = |column: &str| row.try_get::<i64>("", column).map_err(db);
    let text = |column: &str| row.try_get::<String>("", column).map_err(db);
    Ok(Recorded {
        id: row.try_get::<Id>("", "id").map_err(db)?.0,
        stream: StreamName::from(text("stream")?),
        version: unsigned(number("version")?),
        partition: partition(number("partition")?)?,
        position: if with_position { unsigned(number("position")?) } else { 0 },
        type_name: text("type")?,
        payload: row.try_get("", "payload").map_err(db)?,
        time: from_micros(number("time")?),
        metadata: Metadata {
            correlation: text("correlation")?,
            causation: text("causation")?,
            traceparent: text("traceparent")?,
            partition_key: text("partition_key")?,
        },
    })
}
