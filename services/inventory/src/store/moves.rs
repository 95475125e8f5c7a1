//! Units on their way: available → reserved → available again, or shipped. What a transaction moves, for however many orders, is
//! one statement to the database at its end, or a few where it is very much; the list of open reservations is kept in step with
//! the commit.

use std::collections::{BTreeMap, BTreeSet};

use contracts::tradewind::inventory::v1::{Allocation, Reservation};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, TableRef, UpdateStatement};
use tradewind_domain::Error;
use tradewind_sql::{chunks, in_turn, padded};
use tradewind_store::{Last, Tx};

use super::level::{Column, Entity};
use super::{open_reservations, stock};
use crate::domain::Level;

/// What a transaction knows of levels, and does to them.
#[derive(Default)]
struct Moves {
    /// Levels that are locked, by SKU, as they were before.
    locked: BTreeMap<String, Vec<Level>>,
    /// By SKU and location.
    changes: BTreeMap<(String, String), Change>,
    /// Whose units were set aside.
    orders: BTreeSet<String>,
}

/// What becomes of the counters of a level.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Change {
    reserved: i64,
    shipped: i64,
}

/// The units of `skus` that can still be set aside, by SKU and location; locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock_levels(tx: &mut Tx, skus: &[&str]) -> Result<Vec<Level>, Error> {
    let locked = &tx.kept::<Moves>().locked;
    let missing: BTreeSet<&str> = skus.iter().copied().filter(|sku| !locked.contains_key(*sku)).collect();
    if !missing.is_empty() {
        let found = stock::lock_levels(tx.conn(), &missing.iter().copied().collect::<Vec<_>>()).await?;
        let locked = &mut tx.kept::<Moves>().locked;
        locked.extend(missing.into_iter().map(|sku| (sku.to_owned(), Vec::new())));
        for level in found {
            locked.entry(level.sku.clone()).or_default().push(level);
        }
    }
    let moves = tx.kept::<Moves>();
    Ok(skus.iter().filter_map(|sku| moves.locked.get(*sku)).flatten().map(|level| moves.after(level)).collect())
}

/// Sets the parts of a reservation aside, whose levels are locked, and lists it as open.
pub fn reserve(tx: &mut Tx, reservation: &Reservation) {
    tx.kept::<Moves>().change(&reservation.allocations, |quantity| Change { reserved: quantity, shipped: 0 });
    open_reservations::put(tx, reservation);
}

/// Makes `parts`, set aside for the order, available again.
pub fn release(tx: &mut Tx, order_id: &str, parts: &[Allocation]) {
    settle(tx, order_id, parts, |quantity| Change { reserved: -quantity, shipped: 0 });
}

/// Books `parts`, set aside for the order, out of the building.
pub fn ship(tx: &mut Tx, order_id: &str, parts: &[Allocation]) {
    settle(tx, order_id, parts, |quantity| Change { reserved: -quantity, shipped: quantity });
}

/// Sets `parts` aside no longer, and strikes the reservation off the list.
fn settle(tx: &mut Tx, order_id: &str, parts: &[Allocation], change: fn(i64) -> Change) {
    let moves = tx.kept::<Moves>();
    moves.orders.insert(order_id.to_owned());
    moves.change(parts, change);
    open_reservations::remove(tx, order_id);
}

impl Moves {
    fn change(&mut self, parts: &[Allocation], change: fn(i64) -> Change) {
        for Allocation { sku, location, quantity } in parts {
            let level = self.changes.entry((sku.clone(), location.clone())).or_default();
            let Change { reserved, shipped } = change(*quantity);
            level.reserved = level.reserved.saturating_add(reserved);
            level.shipped = level.shipped.saturating_add(shipped);
        }
    }

    /// A locked level with what was done to it since.
    fn after(&self, level: &Level) -> Level {
        let change = self.changes.get(&(level.sku.clone(), level.location.clone())).copied().unwrap_or_default();
        let available = level.available.saturating_sub(change.reserved).saturating_sub(change.shipped);
        Level { available, ..level.clone() }
    }
}

impl Last for Moves {
    /// # Errors
    /// `Internal` when what is to be moved on is not set aside.
    async fn close(self, tx: &mut Tx) -> Result<(), Error> {
        let changes = self.changes.into_iter().filter(|(_, change)| *change != Change::default());
        let changes: Vec<_> = changes.map(|((sku, location), to)| (sku, location, to.reserved, to.shipped)).collect();
        for changes in chunks(&changes, 4) {
            // What has no name is nowhere.
            let rows = padded(changes, (String::new(), String::new(), 0, 0));
            let done = tx.conn().execute(&statement(named(tx.conn(), rows))).await.map_err(tradewind_sql::db)?;
            if done.rows_affected() != u64::try_from(changes.len()).map_err(Error::internal)? {
                let orders: Vec<_> = self.orders.iter().map(String::as_str).collect();
                return Err(Error::internal(format!("the units of {} are not set aside", orders.join(", "))));
            }
        }
        Ok(())
    }
}

/// Changes levels where no counter becomes negative.
fn statement(changes: SelectStatement) -> UpdateStatement {
    let level = |column: Column| Expr::col((Entity, column));
    let change = |name: &'static str| Expr::col(("change", name));
    let reserved = || level(Column::Reserved).add(change("reserved"));
    let shipped = || level(Column::Shipped).add(change("shipped"));
    let has_enough = level(Column::Received).sub(shipped()).sub(reserved()).gte(0);
    // Units that come back, or leave having been set aside, come and leave however the level stands.
    let takes_nothing = change("reserved").add(change("shipped")).lte(0);
    Query::update()
        .table(Entity)
        .values([(Column::Reserved, reserved()), (Column::Shipped, shipped())])
        .from(TableRef::SubQuery(Box::new(changes), "change".into()))
        .and_where(level(Column::Sku).eq(change("sku")))
        .and_where(level(Column::Location).eq(change("location")))
        .and_where(reserved().gte(0))
        .and_where(has_enough.or(takes_nothing))
        .take()
}

/// The changes as a query that has its turn, with its columns named.
fn named(db: &impl ConnectionTrait, changes: Vec<(String, String, i64, i64)>) -> SelectStatement {
    let mut named = Query::select();
    for (number, name) in [("column1", "sku"), ("column2", "location"), ("column3", "reserved"), ("column4", "shipped")]
    {
        named.expr_as(Expr::col(("each", number)), name);
    }
    in_turn(db, named.from_values(changes, "each")).take()
}
