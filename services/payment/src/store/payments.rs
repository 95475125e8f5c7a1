use std::sync::LazyLock;

use contracts::tradewind::{money::v1::Money, payment::v1::Payment as Resource};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use tradewind_domain::{Error, OrderId};
use tradewind_projections::{Slot, Table, Writer};
use tradewind_sql::{from_micros, micros, timestamp};
use tradewind_store::Loaded;

use super::payment::{Column, Entity, Model};
use crate::domain::Payment;

/// How the payment stands replaces how it stood.
static PUT: LazyLock<Table<Entity>> = LazyLock::new(|| Table::replacing([Column::OrderId]));

/// Writes the row of a payment.
pub(crate) fn put(writer: &mut Writer<'_>, Loaded { state: payment, updated, .. }: Loaded<Payment>) {
    let Money { currency, minor } = payment.amount.unwrap_or_default();
    let (captured_currency, captured_minor) =
        payment.captured.map_or((None, None), |captured| (Some(captured.currency), Some(captured.minor)));
    let row = Model {
        order_id: payment.order_id,
        status: i32::from(payment.status).into(),
        currency,
        minor,
        decline_reason: payment.decline_reason,
        charge_id: payment.charge_id,
        refund_id: payment.refund_id,
        updated: micros(updated),
        captured_currency,
        captured_minor,
        mismatch: Some(payment.mismatch.into()),
    };
    writer.put(&PUT, row);
}

/// Up to `limit` payments of a slot that follow `after` by order id; from the first without it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn page(
    connection: &impl ConnectionTrait,
    slot: Slot,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Vec<Resource>, Error> {
    let after = after.map(|after| after.to_string()).unwrap_or_default();
    let rows = Entity::find().filter(Column::OrderId.gt(after)).order_by_asc(Column::OrderId);
    let sized = [Column::DeclineReason, Column::ChargeId, Column::RefundId];
    let rows = tradewind_sql::page(connection, slot.select(rows), sized, limit).await?;
    Ok(rows.into_iter().map(resource).collect())
}

fn resource(row: Model) -> Resource {
    let amount = Money { currency: row.currency, minor: row.minor };
    let captured = row.captured_currency.zip(row.captured_minor);
    Resource {
        order_id: row.order_id,
        status: i32::try_from(row.status).unwrap_or_default(),
        amount: (amount != Money::default()).then_some(amount),
        decline_reason: row.decline_reason,
        charge_id: row.charge_id,
        refund_id: row.refund_id,
        update_time: Some(timestamp(from_micros(row.updated))),
        captured: captured.map(|(currency, minor)| Money { currency, minor }),
        mismatch: row.mismatch.and_then(|mismatch| i32::try_from(mismatch).ok()).unwrap_or_default(),
    }
}
