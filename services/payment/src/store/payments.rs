use contracts::tradewind::{
    money::v1::Money,
    payment::v1::{Payment as Resource, PaymentStatus},
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};
use time::OffsetDateTime;
use tradewind_domain::{Error, OrderId};
use tradewind_events::{Tx, Upsert, db, from_micros, micros, page_text, timestamp};

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
const APPLY: Upsert = Upsert {
    insert: "INSERT INTO payment (order_id, status, currency, minor, decline_reason, charge_id, refund_id, updated, \
     captured_currency, captured_minor, mismatch)",
    on_conflict: "ON CONFLICT (order_id) DO UPDATE SET status = excluded.status, \
     decline_reason = COALESCE(NULLIF(excluded.decline_reason, ''), payment.decline_reason), \
     charge_id = COALESCE(NULLIF(excluded.charge_id, ''), payment.charge_id), \
     refund_id = COALESCE(NULLIF(excluded.refund_id, ''), payment.refund_id), \
     updated = excluded.updated, \
     captured_currency = COALESCE(excluded.captured_currency, payment.captured_currency), \
     captured_minor = COALESCE(excluded.captured_minor, payment.captured_minor), \
     mismatch = COALESCE(NULLIF(excluded.mismatch, 0), payment.mismatch)",
};

/// Applies one change that happened at `time` when `tx` is committed.
pub(crate) fn apply(tx: &mut Tx, change: &Change, time: OffsetDateTime) {
    let Money { currency, minor } = change.amount.clone().unwrap_or_default();
    let row = vec![
        change.order_id.as_str().into(),
        i64::from(i32::from(change.status)).into(),
        currency.into(),
        minor.into(),
        change.decline_reason.as_str().into(),
        change.charge_id.as_str().into(),
        change.refund_id.as_str().into(),
        micros(time).into(),
        change.captured.as_ref().map(|captured| captured.currency.as_str()).into(),
        change.captured.as_ref().map(|captured| captured.minor).into(),
        i64::from(change.mismatch).into(),
    ];
    tx.put(APPLY, &change.order_id, row);
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
    let columns = "order_id, status, currency, minor, decline_reason, charge_id, refund_id, updated, captured_currency, \
         captured_minor, mismatch";
    let size = "LENGTH(decline_reason) + LENGTH(charge_id) + LENGTH(refund_id)";
    let query = page_text(columns, size, "payment WHERE order_id > $1 ORDER BY order_id", "$2");
    let after = after.map(|after| after.to_string()).unwrap_or_default();
    let values: [Value; 2] = [after.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), query, values);
    let rows = connection.query_all_raw(statement).await.map_err(db)?;
    rows.iter().map(resource).collect::<Result<_, _>>().map_err(db)
}

fn resource(row: &QueryResult) -> Result<Resource, DbErr> {
    let status: i64 = row.try_get("", "status")?;
    let captured: Option<String> = row.try_get("", "captured_currency")?;
    let mismatch: Option<i64> = row.try_get("", "mismatch")?;
    let amount = Money { currency: row.try_get("", "currency")?, minor: row.try_get("", "minor")? };
    Ok(Resource {
        order_id: row.try_get("", "order_id")?,
        status: i32::try_from(status).unwrap_or_default(),
        amount: (amount != Money::default()).then_some(amount),
        decline_reason: row.try_get("", "decline_reason")?,
        charge_id: row.try_get("", "charge_id")?,
        refund_id: row.try_get("", "refund_id")?,
        update_time: Some(timestamp(from_micros(row.try_get("", "updated")?))),
        captured: match captured {
            Some(currency) => Some(Money { currency, minor: row.try_get("", "captured_minor")? }),
            None => None,
        },
        mismatch: mismatch.and_then(|mismatch| i32::try_from(mismatch).ok()).unwrap_or_default(),
    })
}
