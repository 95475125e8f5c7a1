//! Codes: issued, tried and used.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, micros};

use super::confirmation::{Column, Entity, Model};

/// How often a code can be tried.
const TRIES: i64 = 5;

/// Writes down what a code is good for.
pub(crate) async fn issue(connection: &impl ConnectionTrait, row: Model) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await.map(drop).map_err(db)
}

/// Tells whether something waits for a code, or has done until a moment ago.
pub(crate) async fn is_there(connection: &impl ConnectionTrait, ticket: &str) -> Result<bool, Error> {
    Ok(Entity::find_by_id(ticket).one(connection).await.map_err(db)?.is_some())
}

/// Counts a try, and returns what is tried; none where there is nothing to try, or it was tried too often.
pub(crate) async fn try_code(
    connection: &impl ConnectionTrait,
    ticket: &str,
    purpose: &str,
    now: OffsetDateTime,
) -> Result<Option<Model>, Error> {
    let counted = Entity::update_many()
        .col_expr(Column::Tries, Expr::col(Column::Tries).add(1))
        .filter(Column::Ticket.eq(ticket))
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::Tries.lt(TRIES))
        .filter(Column::Expires.gt(micros(now)));
    if counted.exec(connection).await.map_err(db)?.rows_affected == 0 {
        return Ok(None);
    }
    Entity::find_by_id(ticket).one(connection).await.map_err(db)
}

/// Uses it up; `false` when somebody else has done so.
pub(crate) async fn confirm(connection: &impl ConnectionTrait, ticket: &str) -> Result<bool, Error> {
    Ok(Entity::delete_by_id(ticket).exec(connection).await.map_err(db)?.rows_affected == 1)
}

/// Removes those that are good for an account.
pub(crate) async fn forget_of(connection: &impl ConnectionTrait, account_id: &str) -> Result<(), Error> {
    let all = Entity::delete_many().filter(Column::AccountId.eq(account_id));
    all.exec(connection).await.map(drop).map_err(db)
}

/// Removes those that are over.
pub(crate) async fn forget_expired(connection: &impl ConnectionTrait, now: OffsetDateTime) -> Result<(), Error> {
    let over = Entity::delete_many().filter(Column::Expires.lte(micros(now)));
    over.exec(connection).await.map(drop).map_err(db)
}
