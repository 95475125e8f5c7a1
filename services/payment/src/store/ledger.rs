//! The entries of the ledger: written by replacing themselves, so that no event is booked twice, and summed in one statement.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use contracts::tradewind::money::v1::Money;
use contracts::tradewind::payment::v1::{Account, Balance, LedgerEntry, Movement};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};
use time::OffsetDateTime;
use tradewind_domain::{Error, ErrorKind};
use tradewind_projections::{Slot, Table, Writer};
use tradewind_sql::{Place, db, from_micros, micros, timestamp};

use super::ledger_entry::{Column, Entity, Model};
use crate::domain::Said;

static PUT: LazyLock<Table<Entity>> = LazyLock::new(|| Table::replacing([Column::EventId, Column::Leg]));

/// The parts that a sum is made of, so that no amount is too large to be summed.
const PART: i64 = 1 << 20;

/// What went from one account to another in one currency.
#[derive(FromQueryResult)]
struct Sum {
    debit: i64,
    credit: i64,
    currency: String,
    parts: i64,
    rest: i64,
}

/// Which entries are wanted; all of them by default.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those of this order.
    pub order_id: Option<String>,
    /// Only those that debit or credit this account.
    pub account: Option<Account>,
    /// Only those recorded then or later.
    pub start: Option<OffsetDateTime>,
    /// Only those recorded before.
    pub end: Option<OffsetDateTime>,
}

/// Writes an entry, in its own place where it was written before.
pub(crate) fn put_entry(writer: &mut Writer<'_>, entry: Model) {
    writer.put(&PUT, entry);
}

/// Up to `limit` of the entries that follow `after` by time; from the first without it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn entries(
    db: &impl ConnectionTrait,
    slot: Slot,
    wanted: &Wanted,
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<LedgerEntry>, Error> {
    let mut these = Condition::all()
        .add_option(wanted.order_id.as_ref().map(|order_id| Column::OrderId.eq(order_id)))
        .add_option(wanted.account.map(moves))
        .add_option(wanted.start.map(|start| Column::Time.gte(micros(start))))
        .add_option(wanted.end.map(|end| Column::Time.lt(micros(end))));
    if let Some(Place { time, id, leg }) = after {
        let place = Expr::tuple([Column::Time, Column::EventId, Column::Leg].map(|column| Expr::col((Entity, column))));
        these = these.add(place.gt(Expr::tuple([Expr::val(time), Expr::val(id.to_string()), Expr::val(leg)])));
    }
    let rows = by_time().filter(these);
    let rows = tradewind_sql::page(db, slot.select(rows), [Column::OrderId, Column::Reference], limit).await?;
    Ok(rows.into_iter().map(resource).collect())
}

/// What the ledger says of the provider in this time, by time, and no more than `limit`.
///
/// # Errors
/// When the database fails.
pub(crate) async fn moved(
    connection: &impl ConnectionTrait,
    slot: Slot,
    time: &Range<OffsetDateTime>,
    limit: usize,
) -> Result<Vec<Said>, Error> {
    let rows = by_time()
        .filter(moves(Account::ProviderClearing))
        .filter(Column::Time.gte(micros(time.start)))
        .filter(Column::Time.lt(micros(time.end)))
        .limit(u64::try_from(limit).map_err(Error::internal)?);
    let rows = slot.select(rows).all(connection).await.map_err(db)?;
    let said = |row: Model| {
        let is_charge = row.debit == number(Account::ProviderClearing);
        Said {
            id: row.event_id,
            movement: if is_charge { Movement::Charge } else { Movement::Refund },
            order_id: row.order_id,
            amount: Money { currency: row.currency, minor: row.minor },
            time: from_micros(row.time),
        }
    };
    Ok(rows.into_iter().map(said).collect())
}

/// The balance of every account in each currency, by currency and account. What an entry debits it also credits, so those of one
/// currency sum to 0.
///
/// # Errors
/// When the database fails; `Rejected` with reason `BALANCE_TOO_LARGE` where one has no room in an answer.
pub(crate) async fn balances(connection: &impl ConnectionTrait, slot: Slot) -> Result<Vec<Balance>, Error> {
    let sum = |part: Expr| part.sum().cast_as("BIGINT");
    let sums = Entity::find()
        .select_only()
        .columns([Column::Debit, Column::Credit, Column::Currency])
        .column_as(sum(Expr::col(Column::Minor).div(PART)), "parts")
        .column_as(sum(Expr::col(Column::Minor).modulo(PART)), "rest")
        .group_by(Column::Debit)
        .group_by(Column::Credit)
        .group_by(Column::Currency);
    let sums = slot.select(sums).into_model::<Sum>().all(connection).await.map_err(db)?;
    let mut balances = BTreeMap::<(String, i64), i128>::new();
    for Sum { debit, credit, currency, parts, rest } in sums {
        let moved = i128::from(parts) * i128::from(PART) + i128::from(rest);
        *balances.entry((currency.clone(), debit)).or_default() += moved;
        *balances.entry((currency, credit)).or_default() -= moved;
    }
    let balance = |((currency, account), minor): ((String, i64), i128)| {
        let minor = i64::try_from(minor).map_err(|_| too_large(&currency))?;
        Ok(Balance { account: i32::try_from(account).unwrap_or_default(), amount: Some(Money { currency, minor }) })
    };
    balances.into_iter().map(balance).collect()
}

fn too_large(currency: &str) -> Error {
    Error::new(ErrorKind::Rejected, "BALANCE_TOO_LARGE", format!("a balance in {currency} has more than 63 bits"))
}

fn by_time() -> sea_orm::Select<Entity> {
    Entity::find().order_by_asc(Column::Time).order_by_asc(Column::EventId).order_by_asc(Column::Leg)
}

fn moves(account: Account) -> Condition {
    Condition::any().add(Column::Debit.eq(number(account))).add(Column::Credit.eq(number(account)))
}

pub(crate) fn number(account: Account) -> i64 {
    i32::from(account).into()
}

fn resource(row: Model) -> LedgerEntry {
    let number = |number: i64| i32::try_from(number).unwrap_or_default();
    LedgerEntry {
        event_id: row.event_id,
        leg: number(row.leg),
        order_id: row.order_id,
        debit: number(row.debit),
        credit: number(row.credit),
        amount: Some(Money { currency: row.currency, minor: row.minor }),
        reference: row.reference,
        time: Some(timestamp(from_micros(row.time))),
    }
}
