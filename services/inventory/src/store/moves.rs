//! Units on their way: available → reserved → available again, or shipped. Each move of an order is one statement to the database,
//! or a few where it has very many parts; the list of open reservations is kept in step with the commit.

use contracts::tradewind::inventory::v1::{Allocation, Reservation};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, TableRef, UpdateStatement};
use tradewind_domain::{Error, ErrorKind};
use tradewind_sql::{chunks, in_turn};
use tradewind_store::Tx;

use super::level::{Column, Entity};
use super::open_reservations;

/// What a move does to a level, and under which condition.
struct Move {
    set: Vec<(Column, Expr)>,
    condition: Expr,
}

/// Sets the parts of a reservation aside and lists it as open.
///
/// # Errors
/// `Conflict` when a location has fewer units than it is to give: the transaction must be run again.
pub async fn reserve(tx: &mut Tx, reservation: &Reservation) -> Result<(), Error> {
    let available = level(Column::Received).sub(level(Column::Shipped)).sub(level(Column::Reserved));
    let reserve = Move {
        set: vec![(Column::Reserved, level(Column::Reserved).add(quantity()))],
        condition: available.gte(quantity()),
    };
    if !reserve.run(tx.conn(), &reservation.allocations).await? {
        let message = "somebody else took the units first";
        return Err(Error::new(ErrorKind::Conflict, tradewind_sql::SERIALIZATION, message));
    }
    open_reservations::put(tx, reservation);
    Ok(())
}

/// Makes `parts`, set aside for the order, available again.
///
/// # Errors
/// `Internal` when they are not set aside.
pub async fn release(tx: &mut Tx, order_id: &str, parts: &[Allocation]) -> Result<(), Error> {
    settle(tx, order_id, parts, Vec::new()).await
}

/// Books `parts`, set aside for the order, out of the building.
///
/// # Errors
/// `Internal` when they are not set aside.
pub async fn ship(tx: &mut Tx, order_id: &str, parts: &[Allocation]) -> Result<(), Error> {
    settle(tx, order_id, parts, vec![(Column::Shipped, level(Column::Shipped).add(quantity()))]).await
}

/// Sets `parts` aside no longer, strikes the reservation off the list, and does what else there is to do with the levels.
async fn settle(tx: &mut Tx, order_id: &str, parts: &[Allocation], besides: Vec<(Column, Expr)>) -> Result<(), Error> {
    let no_longer = (Column::Reserved, level(Column::Reserved).sub(quantity()));
    let settle = Move {
        set: [no_longer].into_iter().chain(besides).collect(),
        condition: level(Column::Reserved).gte(quantity()),
    };
    if !settle.run(tx.conn(), parts).await? {
        return Err(Error::internal(format!("the units of order {order_id} are not set aside")));
    }
    open_reservations::remove(tx, order_id);
    Ok(())
}

/// A counter of a level.
fn level(column: Column) -> Expr {
    Expr::col((Entity, column))
}

/// The units of a part.
fn quantity() -> Expr {
    Expr::col(("part", "quantity"))
}

impl Move {
    /// Moves `parts`, no level of which is named twice; tells whether the condition held for each.
    async fn run(&self, db: &impl ConnectionTrait, parts: &[Allocation]) -> Result<bool, Error> {
        for parts in chunks(parts, 3) {
            let done = db.execute(&self.statement(named(db, parts))).await;
            if done.map_err(tradewind_sql::db)?.rows_affected()
                != u64::try_from(parts.len()).map_err(Error::internal)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn statement(&self, parts: SelectStatement) -> UpdateStatement {
        Query::update()
            .table(Entity)
            .values(self.set.clone())
            .from(TableRef::SubQuery(Box::new(parts), "part".into()))
            .and_where(level(Column::Sku).eq(Expr::col(("part", "sku"))))
            .and_where(level(Column::Location).eq(Expr::col(("part", "location"))))
            .and_where(self.condition.clone())
            .take()
    }
}

/// The parts as a query that has its turn, with its columns named.
fn named(db: &impl ConnectionTrait, parts: &[Allocation]) -> SelectStatement {
    let rows = parts.iter().map(|part| (part.sku.as_str(), part.location.as_str(), part.quantity));
    let mut named = Query::select();
    for (number, name) in [("column1", "sku"), ("column2", "location"), ("column3", "quantity")] {
        named.expr_as(Expr::col(("each", number)), name);
    }
    in_turn(db, named.from_values(rows, "each")).take()
}
