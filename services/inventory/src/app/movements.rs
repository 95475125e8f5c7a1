//! The movements, kept from this context's own events: the one place where an event becomes rows.

use contracts::tradewind::inventory::v1::{StockCorrected, StockReceived, StockReleased, StockReserved, StockShipped};
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_projections::{Projection, Slot, Writer, read, read_at};
use tradewind_sql::{Moment, micros};
use tradewind_store::{Recorded, Store};

use crate::domain::{Movement, Moving};
use crate::store::{self, Private, stock_movement};

const MOVEMENTS: &str = "inventory.movements";

/// Where the movements are read.
///
/// # Errors
/// When the database fails.
pub(super) async fn slot(store: &Store) -> Result<Slot, Error> {
    read(store, MOVEMENTS).await
}

/// Where they are read at a moment, and the events that they do not show there.
///
/// # Errors
/// `Unavailable` with reason `PROJECTION_BEHIND` when these are too many.
pub(super) async fn slot_at(store: &Store, moment: &Moment<'_>) -> Result<(Slot, Vec<Recorded>), Error> {
    read_at(store, moment, MOVEMENTS).await
}

/// The movements of every event that moves units.
#[must_use]
pub fn movements() -> Projection {
    Projection::new(MOVEMENTS, 1)
        .table::<stock_movement::Entity>()
        .on("record_on_stock_received", record::<StockReceived>)
        .on("record_on_stock_corrected", record::<StockCorrected>)
        .on("record_on_stock_reserved", record::<StockReserved>)
        .on("record_on_stock_released", record::<StockReleased>)
        .on("record_on_stock_shipped", record::<StockShipped>)
}

fn record<E: Into<Moving> + Clone>(writer: &mut Writer<'_>, event: &Received<E>) -> Result<(), Error> {
    let moving: Moving = event.data.clone().into();
    let (reason, corrected_by) = match &moving {
        Moving::Corrected(event) => (event.note.clone(), event.corrected_by.clone()),
        _ => (String::new(), String::new()),
    };
    for (line, Movement { sku, location, kind, by }) in (1..).zip(moving.movements()) {
        let movement = stock_movement::Model {
            sku,
            location,
            event_id: event.id.to_string(),
            line,
            kind: store::number(kind),
            received: by.received,
            shipped: by.shipped,
            reserved: by.reserved,
            order_id: moving.order_id().to_owned(),
            reason: Private(reason.clone()),
            corrected_by: Private(corrected_by.clone()),
            partition: event.partition.into(),
            position: i64::try_from(event.position).map_err(Error::internal)?,
            time: micros(event.time),
        };
        store::put_movement(writer, movement);
    }
    Ok(())
}
