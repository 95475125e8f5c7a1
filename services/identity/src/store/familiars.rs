//! Networks that an account is used from.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use tradewind_domain::Error;
use tradewind_sql::{db, micros};
use tradewind_store::Tx;

use super::familiar::{Column, Entity, Model};
use super::private::digest;
use crate::domain::Network;

/// The most that are known of an account.
const MOST: usize = 16;

/// Tells whether an account was signed in from a network.
pub(crate) async fn is_familiar(
    connection: &impl ConnectionTrait,
    account_id: &str,
    network: Network,
) -> Result<bool, Error> {
    let names = [digest(connection, &network.to_string()).await?, network.to_string()];
    let known = Entity::find().filter(Column::AccountId.eq(account_id)).filter(Column::Network.is_in(names));
    Ok(known.one(connection).await.map_err(db)?.is_some())
}

/// Remembers that it was, and forgets those that it was longest ago.
pub(crate) async fn meet(tx: &Tx, account_id: &str, network: Network) -> Result<(), Error> {
    let connection = tx.conn();
    let mut network = network.to_string();
    if tx.seals() {
        network = digest(connection, &network).await?;
    }
    let row = Model { account_id: account_id.to_owned(), network, seen: micros(tx.now()) };
    let mut again = OnConflict::columns([Column::AccountId, Column::Network]);
    let insert = Entity::insert(row.into_active_model()).on_conflict(again.update_column(Column::Seen).to_owned());
    insert.exec_without_returning(connection).await.map_err(db)?;
    let known = Entity::find().filter(Column::AccountId.eq(account_id)).order_by_desc(Column::Seen);
    for old in known.all(connection).await.map_err(db)?.into_iter().skip(MOST) {
        Entity::delete_by_id((old.account_id, old.network)).exec(connection).await.map_err(db)?;
    }
    Ok(())
}
