//! Items: read and added.

use contracts::tradewind::sample::v1::Item;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, TryInsertResult};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, micros, timestamp};

use super::item::{Entity, Model as ItemRow};
use crate::domain::NewItem;

impl ItemRow {
    /// An item that is added `now`.
    #[must_use]
    pub fn new(item: &NewItem, now: OffsetDateTime) -> Self {
        Self { item_id: item.item_id.clone(), name: item.name.clone(), created: micros(now) }
    }
}

impl From<ItemRow> for Item {
    fn from(row: ItemRow) -> Self {
        let ItemRow { item_id, name, created } = row;
        Self { item_id, name, create_time: Some(timestamp(from_micros(created))) }
    }
}

/// Adds `row`; tells whether its id was free.
///
/// # Errors
/// When the database fails.
pub async fn insert(connection: &impl ConnectionTrait, row: &ItemRow) -> Result<bool, Error> {
    let insert = Entity::insert(row.clone().into_active_model()).on_conflict_do_nothing();
    let done = insert.exec_without_returning(connection).await.map_err(db)?;
    Ok(matches!(done, TryInsertResult::Inserted(1)))
}

/// The item with this id.
///
/// # Errors
/// When the database fails.
pub async fn find(connection: &impl ConnectionTrait, item_id: &str) -> Result<Option<ItemRow>, Error> {
    Entity::find_by_id(item_id).one(connection).await.map_err(db)
}
