//! Levels: what is where.

use contracts::tradewind::inventory::v1::StockLevel;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, QueryResult, Statement, Value};
use tradewind_domain::Error;
use tradewind_events::chunks;

use crate::domain::Level;

/// One row of `stock`.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct StockRow {
    /// What.
    pub sku: String,
    /// Where.
    pub location: String,
    /// All that ever arrived.
    pub received: i64,
    /// All that ever left.
    pub shipped: i64,
    /// What is set aside for orders.
    pub reserved: i64,
    /// How often something arrived.
    pub receipts: i64,
}

impl From<StockRow> for StockLevel {
    fn from(row: StockRow) -> Self {
        let StockRow { sku, location, received, shipped, reserved, .. } = row;
        let on_hand = received - shipped;
        Self { sku, location, received, shipped, on_hand, reserved, available: on_hand - reserved }
    }
}

const COLUMNS: &str = "sku, location, received, shipped, reserved, receipts";

/// The common table expression that makes a PostgreSQL statement wait until no other transaction moves units.
///
/// A reader's transaction handles many orders, so it locks rows of one order after those of another. However each order
/// sorts its rows, two such transactions could wait for each other, which PostgreSQL notices only after a second. With
/// one transaction at a time, as on SQLite, nobody who holds rows waits.
pub(super) const TURN: &str = "turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(1))";

/// The units of `skus` that can still be set aside, by SKU and location; locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock_levels(db: &impl ConnectionTrait, skus: &[&str]) -> Result<Vec<Level>, Error> {
    let mut levels = Vec::new();
    for skus in chunks(skus, 1) {
        levels.append(&mut lock_some_levels(db, skus).await?);
    }
    Ok(levels)
}

async fn lock_some_levels(db: &impl ConnectionTrait, skus: &[&str]) -> Result<Vec<Level>, Error> {
    let backend = db.get_database_backend();
    let (with, turn, lock) = match backend {
        DbBackend::Postgres => (format!("WITH {TURN} "), ", turn", " FOR UPDATE OF stock"),
        _ => (String::new(), "", ""),
    };
    let places: Vec<String> = (1..=skus.len()).map(|place| format!("${place}")).collect();
    let text = format!(
        "{with}SELECT sku, location, received - shipped - reserved AS available FROM stock{turn} \
         WHERE sku IN ({}) ORDER BY sku, location{lock}",
        places.join(", ")
    );
    let skus = skus.iter().copied().map(Value::from);
    let rows = db.query_all_raw(Statement::from_sql_and_values(backend, text, skus)).await;
    let level = |row: &QueryResult| {
        Ok(Level {
            sku: row.try_get("", "sku")?,
            location: row.try_get("", "location")?,
            available: row.try_get("", "available")?,
        })
    };
    rows.and_then(|rows| rows.iter().map(level).collect()).map_err(tradewind_events::db)
}

/// Adds `quantity` received units and returns the level after it; `None`, and nothing is added, when it would overflow.
///
/// # Errors
/// When the database fails.
pub async fn receive(
    db: &impl ConnectionTrait,
    sku: &str,
    location: &str,
    quantity: i64,
) -> Result<Option<StockRow>, Error> {
    let text = format!(
        "INSERT INTO stock ({COLUMNS}) VALUES ($1, $2, $3, 0, 0, 1) ON CONFLICT (sku, location) DO UPDATE \
         SET received = stock.received + excluded.received, receipts = stock.receipts + 1 \
         WHERE stock.received <= $4 RETURNING {COLUMNS}"
    );
    let values = [sku.into(), location.into(), quantity.into(), (i64::MAX - quantity).into()];
    StockRow::find_by_statement(Statement::from_sql_and_values(db.get_database_backend(), text, values))
        .one(db)
        .await
        .map_err(tradewind_events::db)
}

/// The levels of one SKU, by location.
///
/// # Errors
/// When the database fails.
pub async fn levels_of(db: &impl ConnectionTrait, sku: &str) -> Result<Vec<StockRow>, Error> {
    let text = format!("SELECT {COLUMNS} FROM stock WHERE sku = $1 ORDER BY location");
    StockRow::find_by_statement(Statement::from_sql_and_values(db.get_database_backend(), text, [sku.into()]))
        .all(db)
        .await
        .map_err(tradewind_events::db)
}

/// Up to `limit` levels that follow `after`, by SKU and location; from the first without it.
///
/// # Errors
/// When the database fails.
pub async fn page(
    db: &impl ConnectionTrait,
    after: Option<(&str, &str)>,
    limit: usize,
) -> Result<Vec<StockRow>, Error> {
    let (sku, location) = after.unwrap_or_default();
    let text = format!("SELECT {COLUMNS} FROM stock WHERE (sku, location) > ($1, $2) ORDER BY sku, location LIMIT $3");
    let values = [sku.into(), location.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    StockRow::find_by_statement(Statement::from_sql_and_values(db.get_database_backend(), text, values))
        .all(db)
        .await
        .map_err(tradewind_events::db)
}
