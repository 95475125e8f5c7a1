//! Networks that an account is used from.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, micros};

use super::familiar::{Column, Entity, Model};
use crate::domain::Network;

/// The most that are known of an account.
const MOST: usize = 16;

/// Tells whether an account was signed in from a network.
pub(crate) async fn is_familiar(
    connection: &impl ConnectionTrait,
    account_id: &str,
    network: Network,
) -> Result<bool, Error> {
    let key = (account_id.to_owned(), network.to_string());
    Ok(Entity::find_by_id(key).one(connection).await.map_err(db)?.is_some())
}

/// Remembers that it was, and forgets those that it was longest ago.
pub(crate) async fn meet(
    connection: &impl ConnectionTrait,
    account_id: &str,
    network: Network,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let row = Model { account_id: account_id.to_owned(), network: network.to_string(), seen: micros(now) };
    let mut again = OnConflict::columns([Column::AccountId, Column::Network]);
    let insert = Entity::insert(row.into_active_model()).on_conflict(again.update_column(Column::Seen).to_owned());
    insert.exec_without_returning(connection).await.map_err(db)?;
    let known = Entity::find().filter(Column::AccountId.eq(account_id)).order_by_desc(Column::Seen);
    for old in known.all(connection).await.map_err(db)?.into_iter().skip(MOST) {
        Entity::delete_by_id((old.account_id, old.network)).exec(connection).await.map_err(db)?;
    }
    Ok(())
}
