//! Units on their way: available → reserved → available again, or shipped. Each move of an order, with the list of open
//! reservations kept in step, is one statement to the database, or a few where it has very many parts.

use contracts::tradewind::inventory::v1::Allocation;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use tradewind_domain::{Error, ErrorKind};
use tradewind_events::chunks;

use super::stock::TURN;

/// What a move does to a level, and under which condition.
struct Move {
    set: &'static str,
    condition: &'static str,
    /// How the list of open reservations changes; its parameters come first.
    list: &'static str,
}

const RESERVE: Move = Move {
    set: "reserved = reserved + part.quantity",
    condition: "received - shipped - reserved >= part.quantity",
    list: "INSERT INTO open_reservation (order_id, reservation) VALUES ($1, $2)",
};

const RELEASE: Move = Move {
    set: "reserved = reserved - part.quantity",
    condition: "reserved >= part.quantity",
    list: "DELETE FROM open_reservation WHERE order_id = $1",
};

const SHIP: Move = Move {
    set: "reserved = reserved - part.quantity, shipped = shipped + part.quantity",
    condition: "reserved >= part.quantity",
    list: "DELETE FROM open_reservation WHERE order_id = $1",
};

/// Sets `parts` aside for the order and lists its `reservation`, encoded, as open.
///
/// # Errors
/// `Conflict` when a location has fewer units than it is to give: the transaction must be run again.
pub async fn reserve(
    db: &impl ConnectionTrait,
    order_id: &str,
    reservation: Vec<u8>,
    parts: &[Allocation],
) -> Result<(), Error> {
    if RESERVE.run(db, vec![order_id.into(), reservation.into()], parts).await? {
        Ok(())
    } else {
        let message = "somebody else took the units first";
        Err(Error::new(ErrorKind::Conflict, tradewind_events::SERIALIZATION, message))
    }
}

/// Makes `parts`, set aside for the order, available again.
///
/// # Errors
/// `Internal` when they are not set aside.
pub async fn release(db: &impl ConnectionTrait, order_id: &str, parts: &[Allocation]) -> Result<(), Error> {
    settled(order_id, RELEASE.run(db, vec![order_id.into()], parts).await?)
}

/// Books `parts`, set aside for the order, out of the building.
///
/// # Errors
/// `Internal` when they are not set aside.
pub async fn ship(db: &impl ConnectionTrait, order_id: &str, parts: &[Allocation]) -> Result<(), Error> {
    settled(order_id, SHIP.run(db, vec![order_id.into()], parts).await?)
}

fn settled(order_id: &str, moved: bool) -> Result<(), Error> {
    if moved { Ok(()) } else { Err(Error::internal(format!("the units of order {order_id} are not set aside"))) }
}

impl Move {
    /// Moves `parts`, no level of which is named twice; tells whether the condition held for each.
    async fn run(&self, db: &impl ConnectionTrait, listed: Vec<Value>, parts: &[Allocation]) -> Result<bool, Error> {
        let mut listed = Some(listed);
        for parts in chunks(parts, 3) {
            if !self.run_some(db, listed.take(), parts).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Moves as many parts as one statement takes; the first statement changes the list as well.
    async fn run_some(
        &self,
        db: &impl ConnectionTrait,
        listed: Option<Vec<Value>>,
        parts: &[Allocation],
    ) -> Result<bool, Error> {
        let backend = db.get_database_backend();
        let lists = listed.is_some();
        let mut values = listed.unwrap_or_default();
        let mut rows = Vec::with_capacity(parts.len());
        for part in parts {
            let next = values.len() + 1;
            // The first row gives the columns their types.
            rows.push(match rows.is_empty() {
                true => format!("(CAST(${next} AS TEXT), CAST(${} AS TEXT), CAST(${} AS BIGINT))", next + 1, next + 2),
                false => format!("(${next}, ${}, ${})", next + 1, next + 2),
            });
            values.extend([part.sku.as_str().into(), part.location.as_str().into(), part.quantity.into()]);
        }
        let text = self.text(backend, lists, &rows.join(", "));
        let done = db.execute_raw(Statement::from_sql_and_values(backend, text, values)).await;
        let affected = done.map_err(tradewind_events::db)?.rows_affected();
        // SQLite counts the rows of both statements, PostgreSQL those of the last.
        let listed = u64::from(lists && backend == DbBackend::Sqlite);
        Ok(u64::try_from(parts.len()).is_ok_and(|parts| affected == parts + listed))
    }

    fn text(&self, backend: DbBackend, lists: bool, rows: &str) -> String {
        let Self { set, condition, list } = self;
        let (first, with, turn) = match (backend, lists) {
            (DbBackend::Sqlite, true) => (format!("{list};\n"), String::new(), ""),
            (DbBackend::Sqlite, false) => (String::new(), String::new(), ""),
            (_, true) => (String::new(), format!("{TURN}, listed AS ({list}), "), ", turn"),
            (_, false) => (String::new(), format!("{TURN}, "), ", turn"),
        };
        format!(
            "{first}WITH {with}part (sku, location, quantity) AS (VALUES {rows}) UPDATE stock SET {set} FROM part{turn} \
             WHERE stock.sku = part.sku AND stock.location = part.location AND {condition}"
        )
    }
}
