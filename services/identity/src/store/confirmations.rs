//! Codes: issued, tried and used.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, micros};
use tradewind_store::Tx;

use super::Hidden;
use super::confirmation::{Column, Entity, Model};
use super::private::{digest, opened};

/// How often a code can be tried.
const TRIES: i64 = 5;

/// Writes down what a code is good for, that was sent in a message of this name.
pub(crate) async fn issue(tx: &mut Tx, row: Model, message_id: &str) -> Result<(), Error> {
    let mut row = row;
    if tx.seals() {
        let plain = row.email.0;
        row.email = Hidden(digest(tx.conn(), &plain).await?);
        row.mail = Some(Hidden(tx.seal_text(message_id, &plain).await?));
        row.name = Hidden(tx.seal_text(message_id, &row.name.0).await?);
    }
    row.message_id = Some(message_id.to_owned());
    Entity::insert(row.into_active_model()).exec_without_returning(tx.conn()).await.map(drop).map_err(db)
}

/// Tells whether something waits for a code, or has done until a moment ago.
pub(crate) async fn is_there(connection: &impl ConnectionTrait, ticket: &str) -> Result<bool, Error> {
    Ok(Entity::find_by_id(ticket).one(connection).await.map_err(db)?.is_some())
}

/// Counts a try, and returns what is tried; none where there is nothing to try, or it was tried too often.
pub(crate) async fn try_code(tx: &Tx, ticket: &str, purpose: &str) -> Result<Option<Model>, Error> {
    let counted = Entity::update_many()
        .col_expr(Column::Tries, Expr::col(Column::Tries).add(1))
        .filter(Column::Ticket.eq(ticket))
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::Tries.lt(TRIES))
        .filter(Column::Expires.gt(micros(tx.now())));
    if counted.exec(tx.conn()).await.map_err(db)?.rows_affected == 0 {
        return Ok(None);
    }
    let Some(row) = Entity::find_by_id(ticket).one(tx.conn()).await.map_err(db)? else { return Ok(None) };
    let Model { mail, email, name, .. } = row.clone();
    let [email, name] = opened(tx, [mail.unwrap_or(email).0, name.0]).await?;
    Ok(Some(Model { email: Hidden(email), name: Hidden(name), mail: None, ..row }))
}

/// Removes one; `false` when somebody else has done so.
pub(crate) async fn remove(connection: &impl ConnectionTrait, ticket: &str) -> Result<bool, Error> {
    Ok(Entity::delete_by_id(ticket).exec(connection).await.map_err(db)?.rows_affected == 1)
}

/// Those that are good for an account, or prove the address where one is given; what they say of a person lies as it does.
pub(crate) async fn of(
    connection: &impl ConnectionTrait,
    account_id: &str,
    email: Option<&str>,
) -> Result<Vec<Model>, Error> {
    let mut of = Column::AccountId.eq(account_id);
    if let Some(email) = email {
        of = of.or(Column::Email.is_in([digest(connection, email).await?, email.to_owned()]));
    }
    Entity::find().filter(of).all(connection).await.map_err(db)
}

/// Up to `most` of those that are over, likewise.
pub(crate) async fn expired(
    connection: &impl ConnectionTrait,
    now: OffsetDateTime,
    most: u64,
) -> Result<Vec<Model>, Error> {
    let over = Entity::find().filter(Column::Expires.lte(micros(now))).order_by_asc(Column::Expires);
    over.limit(most).all(connection).await.map_err(db)
}
