//! Keys of partners: made, found, listed and revoked.

use contracts::tradewind::identity::v1::PartnerKey;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, micros, timestamp};

use super::partner_key::{Column, Entity, Model};

/// Adds a key.
pub(crate) async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await.map(drop).map_err(db)
}

/// Tells whether a partner has so many.
pub(crate) async fn are_many(connection: &impl ConnectionTrait, partner_id: &str, many: usize) -> Result<bool, Error> {
    let some = Entity::find().filter(Column::PartnerId.eq(partner_id)).limit(many as u64);
    Ok(some.all(connection).await.map_err(db)?.len() >= many)
}

/// The key of which this is the hash, unless it is over.
pub(crate) async fn by_digest(
    connection: &impl ConnectionTrait,
    digest: &str,
    now: OffsetDateTime,
) -> Result<Option<Model>, Error> {
    let found = Entity::find().filter(Column::Digest.eq(digest)).one(connection).await.map_err(db)?;
    Ok(found.filter(|key| key.expires.is_none_or(|expires| micros(now) < expires)))
}

/// Writes down when a key was used.
pub(crate) async fn meet(connection: &impl ConnectionTrait, key_id: &str, now: OffsetDateTime) -> Result<(), Error> {
    let used = Entity::update_many().col_expr(Column::Used, Expr::value(micros(now))).filter(Column::KeyId.eq(key_id));
    used.exec(connection).await.map(drop).map_err(db)
}

/// Removes a key; `false` where there is none.
pub(crate) async fn remove(connection: &impl ConnectionTrait, key_id: &str) -> Result<bool, Error> {
    Ok(Entity::delete_by_id(key_id).exec(connection).await.map_err(db)?.rows_affected == 1)
}

/// Up to `limit` keys that follow the id `after`, by id; only those of a partner, where one is given.
pub(crate) async fn page(
    connection: &impl ConnectionTrait,
    after: &str,
    partner_id: Option<&str>,
    limit: usize,
) -> Result<Vec<Model>, Error> {
    let rows = Entity::find()
        .filter(Column::KeyId.gt(after))
        .apply_if(partner_id, |rows, partner_id| rows.filter(Column::PartnerId.eq(partner_id)))
        .order_by_asc(Column::KeyId);
    tradewind_sql::page(connection, rows, [Column::Name, Column::Scopes], limit).await
}

/// What it may be used for.
pub(crate) fn scopes(row: &Model) -> Vec<String> {
    row.scopes.split_ascii_whitespace().map(str::to_owned).collect()
}

impl From<Model> for PartnerKey {
    fn from(row: Model) -> Self {
        let time = |micros: i64| timestamp(from_micros(micros));
        Self {
            scopes: scopes(&row),
            key_id: row.key_id,
            partner_id: row.partner_id,
            name: row.name,
            create_time: Some(time(row.created)),
            use_time: row.used.map(time),
            expire_time: row.expires.map(time),
        }
    }
}
