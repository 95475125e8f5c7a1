//! The keys that sign.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, TryInsertResult};
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, micros};

use super::Hidden;
use super::signing_key::{Column, Entity, Model};
use crate::domain::schedule::Term;

/// When a key signs.
pub(crate) fn term(row: &Model) -> Term {
    Term { generation: row.generation, from: from_micros(row.signs_from), until: from_micros(row.signs_until) }
}

/// All of them, oldest first.
pub(crate) async fn all(connection: &impl ConnectionTrait) -> Result<Vec<Model>, Error> {
    Entity::find().order_by_asc(Column::Generation).all(connection).await.map_err(db)
}

/// Adds a key; `false` when another replica has made one of the same number.
pub(crate) async fn insert(connection: &impl ConnectionTrait, term: Term, pair: String) -> Result<bool, Error> {
    let row = Model {
        generation: term.generation,
        pair: Hidden(pair),
        signs_from: micros(term.from),
        signs_until: micros(term.until),
    };
    let insert = Entity::insert(row.into_active_model()).on_conflict_do_nothing();
    let inserted = insert.exec_without_returning(connection).await.map_err(db)?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1)))
}

/// Keeps a pair in another form.
pub(crate) async fn keep(connection: &impl ConnectionTrait, generation: i64, pair: String) -> Result<(), Error> {
    let this =
        Entity::update_many().col_expr(Column::Pair, Expr::value(pair)).filter(Column::Generation.eq(generation));
    this.exec(connection).await.map(drop).map_err(db)
}

/// Removes a key.
pub(crate) async fn remove(connection: &impl ConnectionTrait, generation: i64) -> Result<(), Error> {
    Entity::delete_by_id(generation).exec(connection).await.map(drop).map_err(db)
}
