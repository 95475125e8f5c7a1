use std::sync::LazyLock;

use contracts::tradewind::{
    money::v1::Money,
    payment::v1::{Payment as Resource, PaymentStatus},
};
use sea_orm::sea_query::{Expr, Func, FunctionCall, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Value};
use time::OffsetDateTime;
use tradewind_domain::{Error, OrderId};
use tradewind_sql::{from_micros, micros, timestamp};
use tradewind_store::{Tx, Upsert};

use super::payment::{Column, Entity, Model};

/// What changes in a row; what is empty stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Change {
    /// Whose payment it is.
    pub(crate) order_id: String,
    /// How it stands from now on.
    pub(crate) status: PaymentStatus,
    /// What is asked for.
    pub(crate) amount: Option<Money>,
    /// What was taken.
    pub(crate) captured: Option<Money>,
    /// Why it was declined.
    pub(crate) decline_reason: String,
    /// The provider's id of the charge.
    pub(crate) charge_id: String,
    /// The provider's id of the refund.
    pub(crate) refund_id: String,
    /// In what the provider's answer was not what was asked for; 0 where it was.
    pub(crate) mismatch: i32,
}

impl Change {
    /// A change of the status alone.
    #[must_use]
    pub(crate) fn to(order_id: String, status: PaymentStatus) -> Self {
        Self { order_id, status, ..Self::default() }
    }
}

/// The first change of a payment has its amount, where it was ever asked for, and no other has.
static APPLY: LazyLock<Upsert<Entity>> = LazyLock::new(|| {
    let mut change = OnConflict::column(Column::OrderId);
    change.update_columns([Column::Status, Column::Updated]);
    for column in [Column::DeclineReason, Column::ChargeId, Column::RefundId] {
        change.value(column, unless_empty(column, ""));
    }
    for column in [Column::CapturedCurrency, Column::CapturedMinor] {
        change.value(column, Func::coalesce([excluded(column), present(column)]));
    }
    change.value(Column::Mismatch, unless_empty(Column::Mismatch, 0_i64));
    Upsert::new(change)
});

/// What the change says, unless that is `empty`: then what is there.
fn unless_empty(column: Column, empty: impl Into<Value>) -> FunctionCall {
    let change = Func::cust("NULLIF").arg(excluded(column)).arg(Expr::val(empty));
    Func::coalesce([change.into(), present(column)])
}

fn excluded(column: Column) -> Expr {
    Expr::col(("excluded", column))
}

fn present(column: Column) -> Expr {
    Expr::col((Entity, column))
}

/// Applies one change that happened at `time` when `tx` is committed.
pub(crate) fn apply(tx: &mut Tx, change: Change, time: OffsetDateTime) {
    let Money { currency, minor } = change.amount.unwrap_or_default();
    let (captured_currency, captured_minor) =
        change.captured.map_or((None, None), |captured| (Some(captured.currency), Some(captured.minor)));
    let row = Model {
        order_id: change.order_id,
        status: i32::from(change.status).into(),
        currency,
        minor,
        decline_reason: change.decline_reason,
        charge_id: change.charge_id,
        refund_id: change.refund_id,
        updated: micros(time),
        captured_currency,
        captured_minor,
        mismatch: Some(change.mismatch.into()),
    };
    tx.put(&APPLY, row);
}

/// Up to `limit` payments that follow `after` by order id; from the first without it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn page(
    connection: &impl ConnectionTrait,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Vec<Resource>, Error> {
    let after = after.map(|after| after.to_string()).unwrap_or_default();
    let rows = Entity::find().filter(Column::OrderId.gt(after)).order_by_asc(Column::OrderId);
    let sized = [Column::DeclineReason, Column::ChargeId, Column::RefundId];
    let rows = tradewind_sql::page(connection, rows, sized, limit).await?;
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
